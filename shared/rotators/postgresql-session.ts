import { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { z } from "zod";
import { ConfigError, TargetUnavailableError } from "../core/errors.ts";
import type { Credential } from "../core/secret.ts";
import { connectLimit } from "./connect-limit.ts";
import { failureOf, isRejection, loginError } from "./postgresql-errors.ts";
import { readAuthority, tls } from "./tls.ts";

/** Milliseconds. A server that does not answer the goodbye keeps us no longer than this. */
const goodbye = 500;

/** The server cuts longer names off, and would then mean another account. */
const longestName = 63;

export const postgresqlOptions = z.strictObject({
  // A path would be taken for a Unix socket.
  host: z.string().regex(/^[^\s/\0]+$/, "must be a host name or an IP address"),
  port: z.int().min(1).max(65535).default(5432),
  database: z
    .string()
    .regex(/^[^\0]+$/, "must be the name of a database")
    .default("postgres"),
  tls: tls.prefault({}),
});

export type PostgresqlOptions = z.output<typeof postgresqlOptions>;

type Row = Readonly<Record<string, unknown>>;

export interface Session {
  /** Rejects with the driver's own errors, which must go no further than `failureOf`. */
  query(text: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** For messages. */
export function placeOf({ host, port, database }: PostgresqlOptions, account: string): string {
  return `PostgreSQL at ${host}:${port}, database ${database}, account ${account}`;
}

/** A fresh connection, or "rejected" if the server looked at the credential and refused it. */
export async function logIn(
  options: PostgresqlOptions,
  credential: Credential,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<Session | "rejected"> {
  requireUsable(options, credential);
  const { account, secret } = credential;
  const where = placeOf(options, account);
  const ssl = await secureOptions(options);
  const { Client } = await import("pg");
  if (hasFired(signal)) throw new TargetUnavailableError(`${where}: not asked, no time was left`);

  const socket = new Socket();
  const { host, port, database } = options;
  const stream = () => socket;
  const client = new Client({
    host,
    port,
    database,
    user: account,
    password: secret.reveal(),
    ssl,
    stream,
  });
  // A connection that breaks also fails the query in hand; unheard, the event would end the process.
  client.on("error", () => undefined);
  let leaving = false;
  const drop = () => {
    // A reset throws away what was not sent yet; closing would still deliver it, perhaps much later. But a socket
    // that is not open, or is being shut, cannot be reset, and would stay.
    const open = !socket.connecting && !leaving && !socket.writableEnded;
    if (open) socket.resetAndDestroy();
    else socket.destroy();
  };
  signal.addEventListener("abort", drop, { once: true });
  const limit = connectLimit(connectWithin, drop);

  async function close(): Promise<void> {
    leaving = true;
    const late = setTimeout(drop, goodbye);
    await client.end();
    clearTimeout(late);
    signal.removeEventListener("abort", drop);
  }

  try {
    await client.connect();
    limit.end();
  } catch (error) {
    limit.end();
    drop();
    await close();
    const failure = failureOf(error);
    if (isRejection(failure)) return "rejected";
    const late = limit.reached() ?? (hasFired(signal) ? "no answer in time" : undefined);
    if (late !== undefined) throw new TargetUnavailableError(`${where}: ${late}`);
    throw loginError(failure, where);
  }
  return {
    query: async (text, values = []) => (await client.query<Row>(text, [...values])).rows,
    close,
  };
}

export function requireUsable(options: PostgresqlOptions, credential: Credential): void {
  requireName(credential.account);
  // An empty one means "none" to the server, and "look in the environment" to the driver.
  if (credential.secret.reveal() !== "") return;
  throw new ConfigError(`${placeOf(options, credential.account)}: its secret is empty`);
}

export function requireName(account: string): void {
  const problem =
    account === ""
      ? "is empty"
      : account.includes("\0")
        ? "contains a NUL character"
        : Buffer.byteLength(account, "utf8") > longestName
          ? `is longer than ${longestName} bytes`
          : undefined;
  if (problem !== undefined) {
    throw new ConfigError(`PostgreSQL account ${JSON.stringify(account)}: its name ${problem}`);
  }
}

/** It may fire during any await, which a narrowed property would not show. */
function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function secureOptions({ tls }: PostgresqlOptions): Promise<ConnectionOptions | false> {
  if (tls.mode === "disable") return false;
  // Said, because NODE_TLS_REJECT_UNAUTHORIZED would otherwise decide.
  const ca = await readAuthority(tls.caFile);
  return ca ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: true };
}
