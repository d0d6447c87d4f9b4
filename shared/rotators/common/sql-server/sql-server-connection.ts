import type { EventEmitter } from "node:events";
import type { Connection } from "tedious";
import { ConfigError, TargetUnavailableError } from "../../../core/errors.ts";
import { findTokenHostProblem, hostName } from "../../../core/secrets/addresses.ts";
import type { Credential, Secret } from "../../../core/secrets/secret.ts";
import { connectLimit } from "../connection/connect-limit.ts";
import { hasFired } from "../connection/heard-signal.ts";
import { connectTcp } from "../connection/tcp-limit.ts";
import { readAuthority } from "../connection/tls.ts";
import { type SqlFailure, toLoginVerdict } from "./sql-server-errors.ts";

/** Milliseconds. It matters only if the caller sets no deadline; `signal` usually fires earlier. */
const patience = 30_000;

/** As many redirects as Microsoft's own driver follows. */
const maxRoutes = 10;

/** One database of one server. */
export interface SqlPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** `strict`: TLS from the first byte (TDS 8). `mandatory`: TLS inside TDS packets, as servers before SQL Server 2022 have it. */
  readonly tls: { readonly mode?: "strict" | "mandatory"; readonly caFile?: string };
}

/** A credential, or a token of the app's Azure identity. */
export type SqlLogin = Credential | { readonly token: Secret };

/** The destination of a log-in: the server itself, or the server to which it redirected. */
interface Address {
  readonly host: string;
  readonly port: number;
}

const unavailable = (message: string) => new TargetUnavailableError(message);

export interface LogInCall {
  /** Begins the messages. */
  readonly where: string;
  readonly signal: AbortSignal;
  readonly connectWithin?: number | undefined;
}

/**
 * Logs in on a new connection, and follows redirects. "rejected" if the server refuses the log-in. The caller closes the connection.
 */
export async function openConnection(
  place: SqlPlace,
  login: SqlLogin,
  { where, signal, connectWithin }: LogInCall,
): Promise<Connection | "rejected"> {
  requireVerification(where);
  requireTokenHost(place.host, login, where);
  let address: Address = place;
  let giveUp: () => void = () => undefined;
  const limit = connectLimit(connectWithin, () => {
    giveUp();
  });
  const requireTime = (passed: string) => {
    const over = limit.reached() ?? (hasFired(signal) ? passed : undefined);
    if (over !== undefined) throw unavailable(`${where}: ${over}`);
  };
  try {
    for (let routes = 0; routes <= maxRoutes; routes++) {
      const connection = await connectionTo(address, place, login, connectWithin);
      // Until now, there was no attempt that a limit could end.
      requireTime("not contacted, because the time limit had passed");
      const attempt = attemptWith(connection, signal);
      giveUp = attempt.giveUp;
      const { failure, route } = await attempt.ended;
      if (route === undefined && failure === undefined) return connection;
      connection.close();
      requireTime("timed out");
      if (failure !== undefined) {
        const verdict = toLoginVerdict(failure, seenFrom(where, address, place));
        if (verdict === "rejected") return verdict;
        throw verdict;
      }
      if (route !== undefined) {
        requireTokenHost(route.host, login, where);
        address = route;
      }
    }
  } finally {
    limit.end();
  }
  throw unavailable(`${where}: too many redirects from one server to the next`);
}

function seenFrom(where: string, { host, port }: Address, place: SqlPlace): string {
  const isRouted = host !== place.host || port !== place.port;
  return isRouted ? `${where}, redirected to ${host}:${port}` : where;
}

/** The driver leaves the verification of certificates to Node, and this variable can switch it off. */
function requireVerification(where: string): void {
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new ConfigError(
    `${where}: not contacted, because NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the verification of certificates. Remove that variable`,
  );
}

/** Anyone who receives the token could use it at every database of the identity. */
function requireTokenHost(host: string, login: SqlLogin, where: string): void {
  const problem = "token" in login ? findTokenHostProblem(host, "sqlserver") : undefined;
  if (problem !== undefined) throw new ConfigError(`${where}: the host ${host} ${problem}`);
}

async function connectionTo(
  { host, port }: Address,
  { database, tls }: SqlPlace,
  login: SqlLogin,
  connectWithin: number | undefined,
): Promise<Connection> {
  const ca = await readAuthority(tls.caFile);
  const { Connection } = await import("tedious");
  return new Connection({
    server: host,
    authentication:
      "token" in login
        ? {
            type: "azure-active-directory-access-token",
            options: { token: login.token.reveal() },
          }
        : {
            type: "default",
            options: { userName: login.account, password: login.secret.reveal() },
          },
    options: {
      port,
      database,
      // With `true`, the driver refuses a server that offers no TLS.
      encrypt: tls.mode === "mandatory" ? true : "strict",
      trustServerCertificate: false,
      ...(ca && { cryptoCredentialsDetails: { ca } }),
      appName: "keyturn",
      connectTimeout: patience,
      requestTimeout: patience,
      maxRetriesOnTransientErrors: 0,
      rowCollectionOnRequestCompletion: true,
      ...(connectWithin === undefined && {
        // The types of the driver do not describe what it passes: an address, a look-up and a signal.
        connector: (...[, , end]: unknown[]) =>
          connectTcp(host, port, end instanceof AbortSignal ? end : undefined),
      }),
    },
  });
}

interface Ending {
  /** Undefined when the log-in succeeded, or was redirected. */
  readonly failure?: SqlFailure;
  /** The server to which this server redirected the log-in. */
  readonly route?: Address;
}

interface Attempt {
  readonly ended: Promise<Ending>;
  readonly giveUp: () => void;
}

const isHostName = new RegExp(`^${hostName}$`);

/** Logs in to one server once. */
function attemptWith(connection: Connection, signal: AbortSignal): Attempt {
  // Later errors have no meaning, but an error event without a listener would end the process.
  connection.on("error", () => undefined);
  // The driver throws only the last error, and without its number.
  const numbers: number[] = [];
  let isEntraOnly = false;
  connection.on("errorMessage", ({ number, message }) => {
    numbers.push(number);
    if (/\bonly authentication is enabled\b/i.test(message)) isEntraOnly = true;
  });
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const fail = (cause: unknown) => {
    resolve({ failure: { numbers, isEntraOnly, cause } });
  };
  const giveUp = () => {
    connection.close();
    fail(new Error("timed out"));
  };
  // The driver would follow the redirect by itself, but check the certificate against the name of the redirecting server. That
  // server has proven its name, so its redirect is valid; the next server must prove the name in the redirect.
  const emitter: EventEmitter = connection;
  emitter.on("rerouting", () => {
    const { server = "", port = 0 } = connection.routingData ?? {};
    connection.close();
    if (isHostName.test(server)) resolve({ route: { host: server, port } });
    else fail(new Error("the redirect names no host"));
  });
  signal.addEventListener("abort", giveUp, { once: true });
  connection.connect((error) => {
    if (error === undefined) resolve({});
    else fail(error);
  });
  const ended = promise.finally(() => {
    signal.removeEventListener("abort", giveUp);
  });
  return { ended, giveUp };
}
