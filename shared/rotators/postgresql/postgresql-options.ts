import { z } from "zod";
import { isAzureServer } from "../../core/secrets/addresses.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { host } from "../common/connection/host.ts";
import { findIdentityFaults, identityAccount } from "../common/connection/identity-account.ts";
import type { TokenServer } from "../common/connection/option-faults.ts";
import { withoutRepeatedServers } from "../common/connection/repeated.ts";
import { tls } from "../common/connection/tls.ts";
import type { OptionFault, Using } from "../rotator.ts";

/** The server cuts off longer names, which could then name another account. */
const maxNameBytes = 63;

/** See `Rotator.findUnfitAccount`. */
export function findUnfitAccount(account: string): string | undefined {
  if (account === "none" || account === "public" || account.startsWith("pg_")) {
    return "must not be none or public or begin with pg_, which PostgreSQL reserves; write a role that can log in";
  }
  if (Buffer.byteLength(account, "utf8") <= maxNameBytes) return findUnfitName(account);
  return `must have at most ${maxNameBytes} bytes, because PostgreSQL cuts off longer names; write the name as the server stores it`;
}

const port = z.int().min(1).max(65535).default(5432);

export const postgresqlOptions = z
  .strictObject({
    host,
    port,
    /** The server itself, if host and port are those of a pooler. Keyturn connects to it; consumers get host and port. */
    direct: z.strictObject({ host, port }).exactOptional(),
    database: z
      .string()
      .regex(/^[^\0]+$/, "must be the name of a database")
      .default("postgres"),
    /** The role of the app's managed identity, with `admin: managed-identity`. */
    identityAccount: identityAccount(findUnfitAccount),
    /** What a change contains. Default: verifier. With clear, the server sees the password, and may log it. */
    sendPassword: z.enum(["verifier", "clear"]).exactOptional(),
    /** The form in which the server stores the password. Default: keep, which is the form that the account has now. */
    passwordEncryption: z.enum(["keep", "scram-sha-256", "md5"]).exactOptional(),
    tls: tls.prefault({}),
  })
  .refine((options) => options.sendPassword !== "clear" || options.tls.mode !== "disable", {
    path: ["sendPassword"],
    message: "must not be clear when tls.mode is disable",
  })
  .superRefine(
    withoutRepeatedServers(({ host: name, port: at, direct }) => [
      { path: ["host"], address: `${name}:${at}` },
      ...(direct ? [{ path: ["direct"], address: `${direct.host}:${direct.port}` }] : []),
    ]),
  );

export type PostgresqlOptions = z.output<typeof postgresqlOptions>;

/** Where PgBouncer listens, also that of Azure Database for PostgreSQL on the host of the server itself. */
const poolerPort = 6432;

/** The faults of the options for an authority. */
export function findOptionFaults(options: PostgresqlOptions, as: Using["as"]): OptionFault[] {
  const { host: name, port: at, direct } = options;
  const isAzurePooler =
    at === poolerPort && isAzureServer(name, "postgresql") && direct === undefined;
  const message = `is the port of Azure's PgBouncer, through which no change can be verified; add direct: { host: ${name} }`;
  return [
    ...findIdentityFaults(options, as, findTokenServer(options)),
    ...(isAzurePooler ? [{ path: ["port"], message }] : []),
  ];
}

/** The address of the server itself. */
export function findServer({ host: name, port: at, direct }: PostgresqlOptions): {
  readonly host: string;
  readonly port: number;
} {
  return direct ?? { host: name, port: at };
}

/** The server to which the token of the app's identity goes. */
export function findTokenServer(options: PostgresqlOptions): TokenServer {
  const path = options.direct === undefined ? ["host"] : ["direct", "host"];
  return { system: "postgresql", host: findServer(options).host, path };
}

/** Describes the account in messages. */
export function describeAccount(options: PostgresqlOptions, account: string): string {
  const server = findServer(options);
  return `PostgreSQL at ${server.host}:${server.port}, database ${options.database}, account ${account}`;
}
