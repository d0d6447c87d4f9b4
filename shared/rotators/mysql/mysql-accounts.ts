import { z } from "zod";
import { lackOfRight, noSuchTable, toFailure } from "./mysql-errors.ts";
import { isStoredForm, type Stored } from "./mysql-hashes.ts";
import type { MysqlOptions } from "./mysql-options.ts";
import type { Server, Session } from "./mysql-session.ts";

/** One account of a name: the name at one host pattern. Details are absent if the authority may not read them. */
export interface Variant {
  readonly host: string;
  readonly details?: Details;
}

export interface Details {
  readonly plugin: string;
  /** The stored form of the first and second password, empty without one. */
  readonly first: string;
  readonly second: string;
  /** Names of the other methods of log-in, on MariaDB. */
  readonly otherMethods: readonly string[];
  readonly isLocked: boolean;
  readonly ssl: "none" | "any" | "certificate";
  /** 0: unlimited. */
  readonly maxConnections: number;
}

export interface FoundAccount {
  readonly variants: readonly Variant[];
  /** Hosts of variants that the authority may not change, because they have SYSTEM_USER. */
  readonly protected: readonly string[];
  /** Whether the variants come from the server. False: they come from the options, or nothing shows them. */
  readonly isListed: boolean;
  readonly isReadable: boolean;
}

/** Plugins whose passwords the server stores, and with which this client can log in. */
const passwordPlugins: readonly string[] = [
  "caching_sha2_password",
  "sha256_password",
  "mysql_native_password",
];

/** Plugins of MariaDB with passwords that this client cannot log in with. */
const otherPasswordPlugins: readonly string[] = ["ed25519", "parsec", "mysql_old_password"];

/** Whether the variant has a password that Keyturn cannot change, so that it would keep the old one. */
export const hasOtherPassword = ({ details }: Variant): boolean =>
  otherPasswordPlugins.includes(details?.plugin ?? "");

export const hasPassword = ({ details }: Variant): boolean =>
  details === undefined || passwordPlugins.includes(details.plugin);

/** Which of the two passwords of the variant this is. */
export function findPlace({ details }: Variant, password: string): "first" | "second" | "unknown" {
  if (details === undefined) return "unknown";
  const is = (text: string) =>
    isStoredForm({ plugin: details.plugin, text } satisfies Stored, password);
  if (is(details.first) === true) return "first";
  return is(details.second) === true ? "second" : "unknown";
}

/** Whether the passwords of the variant are certainly not these. A second one that is not given may be any. */
export function differs(
  { details }: Variant,
  { first, second }: { readonly first: string; readonly second?: string },
): boolean {
  if (details === undefined) return false;
  const { plugin } = details;
  return (
    isStoredForm({ plugin, text: details.first }, first) === false ||
    (second !== undefined && isStoredForm({ plugin, text: details.second }, second) === false)
  );
}

/** All variants of the name, or those of the options. */
export async function findAccount(
  session: Session,
  { isMariadb }: Server,
  account: string,
  { hosts }: MysqlOptions,
): Promise<FoundAccount> {
  const rows = await ifPermitted(() =>
    isMariadb ? readGlobalPriv(session, account) : readUsers(session, account),
  );
  const changeable = isMariadb ? undefined : await ifPermitted(() => readHosts(session, account));
  const all: readonly Variant[] | undefined = rows ?? changeable?.map((host) => ({ host }));
  const wanted = hosts?.map((host) => host.toLowerCase());
  const isWanted = ({ host }: Variant) => wanted?.includes(host.toLowerCase()) ?? true;
  const isProtected = ({ host }: Variant) => changeable?.includes(host) === false;
  const variants = all?.filter(isWanted) ?? [];
  return {
    variants: all === undefined ? (hosts ?? []).map((host) => ({ host })) : variants,
    protected: variants.filter(isProtected).map(({ host }) => host),
    isListed: all !== undefined,
    isReadable: rows !== undefined,
  };
}

/** Undefined if the authority may not read the table, or if an older server does not have it. */
async function ifPermitted<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    const { errno } = toFailure(error);
    if (lackOfRight.has(errno) || noSuchTable.has(errno)) return undefined;
    throw error;
  }
}

/** Shows CREATE USER's holder every account that it may change. */
async function readHosts(session: Session, account: string): Promise<readonly string[]> {
  const rows = await session.query(
    "SELECT HOST AS host FROM information_schema.USER_ATTRIBUTES WHERE USER = ?",
    [account],
  );
  return z
    .array(z.object({ host: z.string() }))
    .parse(rows)
    .map(({ host }) => host);
}

const userRows = z.array(
  z.object({
    host: z.string(),
    plugin: z.string(),
    first: z.string().nullable(),
    second: z.string().nullable(),
    locked: z.string(),
    ssl: z.string(),
    limit: z.coerce.number(),
  }),
);

async function readUsers(session: Session, account: string): Promise<readonly Variant[]> {
  const rows = await session.query(
    `SELECT Host AS host, plugin, authentication_string AS first,
       JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.additional_password')) AS second,
       account_locked AS locked, ssl_type AS \`ssl\`, max_user_connections AS \`limit\`
     FROM mysql.user WHERE User = ?`,
    [account],
  );
  return userRows.parse(rows).map(({ host, plugin, first, second, locked, ssl, limit }) => ({
    host,
    details: {
      plugin,
      first: first ?? "",
      second: second ?? "",
      otherMethods: [],
      isLocked: locked === "Y",
      ssl: ssl === "" ? "none" : ssl === "ANY" ? "any" : "certificate",
      maxConnections: limit,
    },
  }));
}

const method = z.object({ plugin: z.string().optional() });
const globalPriv = z.object({
  is_role: z.boolean().optional(),
  plugin: z.string().default("mysql_native_password"),
  authentication_string: z.string().default(""),
  auth_or: z.array(method).default([]),
  account_locked: z.boolean().default(false),
  /** 1: any, 2: X509, 3: a certain certificate. */
  ssl_type: z.number().default(0),
  max_user_connections: z.number().default(0),
});
const globalPrivRows = z.array(
  z.object({
    host: z.string(),
    // The driver parses the type JSON of newer servers.
    priv: z.preprocess(
      (value): unknown => (typeof value === "string" ? JSON.parse(value) : value),
      globalPriv,
    ),
  }),
);

async function readGlobalPriv(session: Session, account: string): Promise<readonly Variant[]> {
  const rows = await session.query(
    "SELECT Host AS host, Priv AS priv FROM mysql.global_priv WHERE User = ?",
    [account],
  );
  return globalPrivRows.parse(rows).flatMap(({ host, priv }): Variant[] =>
    priv.is_role === true
      ? []
      : [
          {
            host,
            details: {
              plugin: priv.plugin,
              first: priv.authentication_string,
              second: "",
              otherMethods: priv.auth_or.flatMap(({ plugin }) => plugin ?? []),
              isLocked: priv.account_locked,
              ssl: priv.ssl_type === 0 ? "none" : priv.ssl_type === 1 ? "any" : "certificate",
              maxConnections: priv.max_user_connections,
            },
          },
        ],
  );
}
