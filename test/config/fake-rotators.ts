import { z } from "zod";
import type { ConfigRotator } from "../../shared/config/schema/targets.ts";

const address = z.strictObject({
  host: z.string().describe("Host name."),
  port: z.int().min(1).max(65_535).default(5432).describe("Port."),
  database: z.string().optional().describe("Database."),
  tls: z
    .strictObject({
      mode: z.enum(["verify-full", "disable"]).default("verify-full"),
      caFile: z.string().exactOptional(),
    })
    .prefault({})
    .describe("How the server is known to be the right one."),
});

/** A rotator like one for a database server: accounts and administrators change passwords. */
const relational: ConfigRotator = {
  type: "relational",
  options: address,
  capabilities: { selfService: true, admin: true, identity: false },
  endpoint: (options) => {
    const { host, port, database } = address.parse(options);
    return { engine: "relational", host, port, ...(database !== undefined && { database }) };
  },
  apply: () => Promise.resolve(),
  hasSessions: () => Promise.resolve(false),
  retire: () => Promise.resolve(),
};

const cloudOptions = z.strictObject({ server: z.string().describe("Name of the server.") });

/** A rotator like one for a managed server, whose administrator password the cloud API sets. */
const cloud: ConfigRotator = {
  type: "cloud-server",
  options: cloudOptions,
  capabilities: { selfService: false, identity: true, admin: false },
  endpoint: (options) => ({
    engine: "cloud",
    host: `${cloudOptions.parse(options).server}.example`,
    port: 1433,
  }),
  apply: () => Promise.resolve(),
  retire: () => Promise.resolve(),
};

export const fakeRotators: readonly ConfigRotator[] = [relational, cloud];
