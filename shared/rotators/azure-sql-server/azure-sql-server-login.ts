import type { EventEmitter } from "node:events";
import type { Connection } from "tedious";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import { hostName } from "../../core/secrets/addresses.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../connection/connect-limit.ts";
import { connectTcp } from "../connection/tcp-limit.ts";
import { readAuthority } from "../connection/tls.ts";
import { type LoginErrors, toLoginVerdict } from "./azure-sql-server-errors.ts";
import { type AzureSqlServerOptions, findHost } from "./azure-sql-server-options.ts";

/** Milliseconds. It matters only if the caller sets no deadline; `signal` usually fires earlier. */
const patience = 30_000;

/** Describes the log-in in messages. */
function describeAccount(options: AzureSqlServerOptions, account: string): string {
  const { port, database } = options;
  return `SQL Server at ${findHost(options)}:${port}, database ${database}, account ${account}`;
}

/** As many redirects as Microsoft's own driver follows. */
const maxRoutes = 10;

/** The destination of a log-in: the server itself, or the server to which it redirected. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Logs in once and closes the connection. */
export async function tryLogin(
  options: AzureSqlServerOptions,
  credential: Credential,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<"accepted" | "rejected"> {
  const where = describeAccount(options, credential.account);
  requireVerification(where);
  let place: Place = { host: findHost(options), port: options.port };
  let giveUp: () => void = () => undefined;
  const limit = connectLimit(connectWithin, () => {
    giveUp();
  });
  try {
    for (let routes = 0; routes <= maxRoutes; routes++) {
      const connection = await connectionTo(place, options, credential, connectWithin);
      if (hasFired(signal))
        throw unavailable(`${where}: not contacted, because the time limit had passed`);
      const attempt = attemptWith(connection, signal);
      giveUp = attempt.giveUp;
      const { error, errors, route } = await attempt.ended;
      if (route === undefined && error === undefined) return "accepted";
      const late = limit.reached() ?? (hasFired(signal) ? "timed out" : undefined);
      if (late !== undefined) throw unavailable(`${where}: ${late}`);
      if (route === undefined) {
        const verdict = toLoginVerdict(errors, error, seenFrom(where, place, options));
        if (verdict === "rejected") return verdict;
        throw verdict;
      }
      place = route;
    }
  } finally {
    limit.end();
  }
  throw unavailable(`${where}: too many redirects from one server to the next`);
}

const unavailable = (message: string) => new TargetUnavailableError(message);

function seenFrom(where: string, { host, port }: Place, options: AzureSqlServerOptions): string {
  const isRouted = host !== findHost(options) || port !== options.port;
  return isRouted ? `${where}, redirected to ${host}:${port}` : where;
}

/** The driver leaves the verification of certificates to Node, and this variable can switch it off. */
function requireVerification(where: string): void {
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new ConfigError(
    `${where}: not contacted, because NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the verification of certificates. Remove that variable`,
  );
}

async function connectionTo(
  { host, port }: Place,
  options: AzureSqlServerOptions,
  { account, secret }: Credential,
  connectWithin: number | undefined,
): Promise<Connection> {
  const { database } = options;
  const ca = await readAuthority(options.tls.caFile);
  const { Connection } = await import("tedious");
  return new Connection({
    server: host,
    authentication: {
      type: "default",
      options: { userName: account, password: secret.reveal() },
    },
    options: {
      port,
      database,
      // TLS starts with the first byte, so no negotiation can remove it.
      encrypt: "strict",
      trustServerCertificate: false,
      ...(ca && { cryptoCredentialsDetails: { ca } }),
      appName: "keyturn",
      connectTimeout: patience,
      requestTimeout: patience,
      maxRetriesOnTransientErrors: 0,
      ...(connectWithin === undefined && {
        // The types of the driver do not describe what it passes: an address, a look-up and a signal.
        connector: (...[, , end]: unknown[]) =>
          connectTcp(host, port, end instanceof AbortSignal ? end : undefined),
      }),
    },
  });
}

interface Ending {
  /** Undefined when it succeeded. */
  readonly error: Error | undefined;
  /** All error numbers that the server sent. The driver throws only the last error, and without its number. */
  readonly errors: LoginErrors;
  /** The server to which this server redirected the log-in. */
  readonly route: Place | undefined;
}

interface Attempt {
  readonly ended: Promise<Ending>;
  readonly giveUp: () => void;
}

const isHostName = new RegExp(`^${hostName}$`);

/** Logs in to one server once, and closes the connection. */
function attemptWith(connection: Connection, signal: AbortSignal): Attempt {
  // Later errors have no meaning, but an error event without a listener would end the process.
  connection.on("error", () => undefined);
  const numbers: number[] = [];
  let entraOnly = false;
  connection.on("errorMessage", ({ number, message }) => {
    numbers.push(number);
    if (/\bonly authentication is enabled\b/i.test(message)) entraOnly = true;
  });
  const { promise, resolve } = Promise.withResolvers<Omit<Ending, "errors">>();
  const giveUp = () => {
    connection.close();
    resolve({ error: new Error("timed out"), route: undefined });
  };
  // The driver would follow the redirect by itself, but check the certificate against the name of the redirecting server. That
  // server has proven its name, so its redirect is valid; the next server must prove the name in the redirect.
  const emitter: EventEmitter = connection;
  emitter.on("rerouting", () => {
    const { server = "", port = 0 } = connection.routingData ?? {};
    connection.close();
    if (isHostName.test(server)) resolve({ error: undefined, route: { host: server, port } });
    else resolve({ error: new Error("the redirect names no host"), route: undefined });
  });
  signal.addEventListener("abort", giveUp, { once: true });
  connection.connect((error) => {
    resolve({ error, route: undefined });
  });
  const ended = promise.then((ending) => {
    signal.removeEventListener("abort", giveUp);
    connection.close();
    return { ...ending, errors: { numbers, entraOnly } };
  });
  return { ended, giveUp };
}

/** Whether the signal has fired. TypeScript would narrow the property, although it can change during any await. */
function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}
