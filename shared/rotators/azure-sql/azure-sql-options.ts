import { z } from "zod";
import { hostName } from "../../core/secrets/addresses.ts";
import { isHostName } from "../common/connection/host.ts";
import { findTokenHostFaults } from "../common/connection/option-faults.ts";
import { withoutRepeatedServers } from "../common/connection/repeated.ts";
import { caFile } from "../common/connection/tls.ts";
import type { SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import type { OptionFault, Using } from "../rotator.ts";

const server = new RegExp(`^(${hostName})(?::(\\d{1,5}))?$`);

const serverForm = { message: "must be a host name, or host:port", abort: true };

function explainHost({ input }: { readonly input: unknown }): string {
  const text = String(input);
  if (text.includes("\\")) {
    return "must be written without the name of an instance. Set options.port to the port of the instance";
  }
  return server.test(text.replace(/, *(?=\d+$)/, ":"))
    ? "must be written without a port. Set options.port"
    : "must be a host name or an IPv4 address";
}

function isServer(text: string): boolean {
  const [, name = "", port = "1433"] = server.exec(text) ?? [];
  return isHostName(name) && Number(port) >= 1 && Number(port) <= 65_535;
}

export const azureSqlOptions = z
  .strictObject({
    host: z
      .string()
      .regex(new RegExp(`^${hostName}$`), { error: explainHost, abort: true })
      .refine(isHostName, { error: explainHost }),
    port: z.int().min(1).max(65535).default(1433),
    /** The database that consumers log in to. Contained users are stored in it. */
    database: z.string().min(1).max(128).default("master"),
    /**
     * True: the accounts are contained users of the database, and need to be unique only there. Absent: Keyturn finds out what an account
     * is.
     */
    contained: z.boolean().exactOptional(),
    /** Other servers with the same logins, such as geo-replicas: `host` or `host:port`. Each change is made on all of them. */
    alsoOn: z
      .array(z.string().regex(server, serverForm).refine(isServer, serverForm))
      .min(1)
      .max(8)
      .exactOptional(),
    /** Every connection is encrypted and verified. `mandatory`: for servers before SQL Server 2022, which do not know TDS 8. */
    tls: z
      .strictObject({ mode: z.enum(["strict", "mandatory"]).default("strict"), caFile })
      .prefault({}),
  })
  .superRefine(
    withoutRepeatedServers((options) =>
      listServers(options).map((place, index) => ({
        path: index === 0 ? ["host"] : ["alsoOn", index - 1],
        address: describeServer(place),
      })),
    ),
  );

export type AzureSqlOptions = z.output<typeof azureSqlOptions>;

/** The faults of options for an authority. */
export function findOptionFaults(options: AzureSqlOptions, as: Using["as"]): OptionFault[] {
  const { alsoOn = [], contained } = options;
  const messages = [
    ...(as === "self" ? [halfway] : []),
    ...(contained === true
      ? ["has no effect on contained users: a replica receives them with their database. Remove it"]
      : []),
  ];
  return [
    ...(alsoOn.length > 0 ? messages.map((message) => ({ path: ["alsoOn"], message })) : []),
    ...listServers(options).flatMap(({ host }, index) => {
      const faults = findTokenHostFaults({ system: "sqlserver", host, path: ["host"] }, as);
      if (index === 0) return faults;
      return faults.map(({ message }) => ({ path: ["alsoOn"], message: `${host} ${message}` }));
    }),
  ];
}

const halfway =
  "is not possible with admin: self: if a change stops halfway, no password of the account works on every server, and the account could not finish it. Use an admin, or managed-identity";

/** The servers that a change concerns, the one of the options first. */
export function listServers({
  host,
  port,
  database,
  tls,
  alsoOn = [],
}: AzureSqlOptions): SqlPlace[] {
  const others = alsoOn.map((one) => {
    const [, otherHost = one, otherPort] = server.exec(one) ?? [];
    return { host: otherHost, port: Number(otherPort ?? port), database, tls };
  });
  return [{ host, port, database, tls }, ...others];
}

/** Describes the account in messages. */
export function describeAccount({ host, port, database }: SqlPlace, account: string): string {
  return `SQL Server at ${host}:${port}, database ${database}, account ${account}`;
}

export function describeServer({ host, port }: SqlPlace): string {
  return `${host}:${port}`;
}
