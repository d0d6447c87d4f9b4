import type { Connection } from "tedious";
import { ConfigError, TargetUnavailableError } from "../core/errors.ts";
import type { Credential } from "../core/secret.ts";
import { loginVerdict } from "./azure-sql-server-errors.ts";
import { connectLimit } from "./connect-limit.ts";
import { hostOf, type AzureSqlServerOptions } from "./azure-sql-server-options.ts";
import { readAuthority } from "./tls.ts";

/** Milliseconds. Only for who gives no deadline; `signal` usually fires earlier. */
const patience = 30_000;

/** For messages. */
function placeOf(options: AzureSqlServerOptions, account: string): string {
  const { port, database } = options;
  return `SQL Server at ${hostOf(options)}:${port}, database ${database}, account ${account}`;
}

/** One log-in, and out again. */
export async function tryLogin(
  options: AzureSqlServerOptions,
  credential: Credential,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<"accepted" | "rejected"> {
  const where = placeOf(options, credential.account);
  requireVerification(where);
  const connection = await connectionTo(options, credential);
  if (hasFired(signal)) throw new TargetUnavailableError(`${where}: not asked, no time was left`);

  // The error that is thrown has no number, and only the last of several is thrown.
  const numbers: number[] = [];
  let entraOnly = false;
  connection.on("errorMessage", ({ number, message }) => {
    numbers.push(number);
    if (/\bonly authentication is enabled\b/i.test(message)) entraOnly = true;
  });
  const { error, late } = await connected(connection, signal, connectWithin);
  if (error === undefined) return "accepted";
  const isOver = hasFired(signal) ? "no answer in the time there was" : undefined;
  const why = late ?? isOver;
  if (why !== undefined) throw new TargetUnavailableError(`${where}: ${why}`);
  const verdict = loginVerdict({ numbers, entraOnly }, error, where);
  if (verdict !== "rejected") throw verdict;
  return verdict;
}

/** The driver leaves it to Node, and Node to this variable, whether certificates mean anything. */
function requireVerification(where: string): void {
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new ConfigError(
    `${where}: not asked, because NODE_TLS_REJECT_UNAUTHORIZED=0 keeps certificates from being verified`,
  );
}

async function connectionTo(
  options: AzureSqlServerOptions,
  { account, secret }: Credential,
): Promise<Connection> {
  const { port, database } = options;
  const ca = await readAuthority(options.tls.caFile);
  const { Connection } = await import("tedious");
  return new Connection({
    server: hostOf(options),
    authentication: {
      type: "default",
      options: { userName: account, password: secret.reveal() },
    },
    options: {
      port,
      database,
      // TLS from the first byte on: nothing is left to be negotiated away.
      encrypt: "strict",
      trustServerCertificate: false,
      ...(ca && { cryptoCredentialsDetails: { ca } }),
      appName: "keyturn",
      connectTimeout: patience,
      requestTimeout: patience,
      maxRetriesOnTransientErrors: 0,
    },
  });
}

interface Ending {
  /** Undefined when it succeeded. */
  readonly error: Error | undefined;
  /** Set when it took longer than it may. */
  readonly late: string | undefined;
}

/** How a log-in ended. Leaves no connection behind. */
async function connected(
  connection: Connection,
  signal: AbortSignal,
  connectWithin: number | undefined,
): Promise<Ending> {
  // What comes after the answer has no meaning any more, but unheard it would end the process.
  connection.on("error", () => undefined);
  const ended = Promise.withResolvers<Error | undefined>();
  const giveUp = () => {
    connection.close();
    ended.resolve(new Error("no time is left"));
  };
  signal.addEventListener("abort", giveUp, { once: true });
  const limit = connectLimit(connectWithin, giveUp);
  try {
    connection.connect((error) => {
      ended.resolve(error);
    });
    return { error: await ended.promise, late: limit.reached() };
  } finally {
    limit.end();
    signal.removeEventListener("abort", giveUp);
    connection.close();
  }
}

/** It may fire during any await, which a narrowed property would not show. */
function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}
