import { z } from "zod";
import { hostName } from "../../core/secrets/addresses.ts";
import { tls } from "../connection/tls.ts";

/** Hosts become parts of a connection string, so characters with a meaning there are rejected. */
const host = z.string().regex(new RegExp(`^(?:${hostName}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$`), {
  message: "must be a host name or an IP address",
});
const member = z
  .string()
  .regex(new RegExp(`^(?:${hostName}|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$`), {
    message: "must be a host name or an IP address, a colon and a port",
  })
  .refine((text) => isPort(Number(text.slice(text.lastIndexOf(":") + 1))), {
    message: "must end with a port from 1 to 65535",
  });

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

/** What the server allows. `$external` has no passwords. */
const database = z.string().regex(/^[^\s\0/\\."$*<>:|?]{1,63}$/, "must be the name of a database");

export const mongodbOptions = z
  .strictObject({
    /** A single server, the primary, or a mongos. */
    host: host.exactOptional(),
    port: z.int().min(1).max(65535).default(27017),
    /** The members of a replica set, or several mongos, as `name:port`. Replaces host and port. */
    hosts: z.array(member).min(1).exactOptional(),
    /** The name of the replica set of `hosts`. */
    replicaSet: z
      .string()
      .regex(/^[\w.-]+$/, "must be the name of a replica set")
      .exactOptional(),
    /** The database that consumers use. It has no effect on the log-in. */
    database: database.default("test"),
    /** The authentication database of the accounts. */
    authDatabase: database.default("admin"),
    /** The authentication database of the admin account. */
    adminAuthDatabase: database.default("admin"),
    tls: tls.prefault({}),
  })
  .refine(({ host: one, hosts }) => (one === undefined) !== (hosts === undefined), {
    path: ["host"],
    message: "must have either host or hosts, not both",
  })
  .refine(({ replicaSet, hosts }) => replicaSet === undefined || hosts !== undefined, {
    path: ["replicaSet"],
    message: "has no effect without hosts",
  });

export type MongodbOptions = z.output<typeof mongodbOptions>;

/** The members as `name:port`, with brackets around IPv6. */
export function listMembers({ host: one = "", port, hosts }: MongodbOptions): readonly string[] {
  return hosts ?? [`${one.includes(":") ? `[${one}]` : one}:${port}`];
}

/** Consumers get one member; the driver finds the others from there. */
export function findFirstMember(options: MongodbOptions): { host: string; port: number } {
  const { host: one, port } = options;
  if (one !== undefined) return { host: one, port };
  const [first = ""] = listMembers(options);
  const colon = first.lastIndexOf(":");
  const bare = first.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: bare, port: Number(first.slice(colon + 1)) };
}
