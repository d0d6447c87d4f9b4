import type { EventEmitter } from "node:events";
import type { Connection } from "tedious";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import { hostName } from "../../core/secrets/addresses.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../connection/connect-limit.ts";
import { connectTcp } from "../connection/tcp-limit.ts";
import { readAuthority } from "../connection/tls.ts";
import { type LoginErrors, loginVerdict } from "./azure-sql-server-errors.ts";
import { type AzureSqlServerOptions, findHost } from "./azure-sql-server-options.ts";

/** Milliseconds. Only for who gives no deadline; `signal` usually fires earlier. */
const patience = 30_000;

/** For messages. */
function describeAccount(options: AzureSqlServerOptions, account: string): string {
  const { port, database } = options;
  return `SQL Server at ${findHost(options)}:${port}, database ${database}, account ${account}`;
}

/** As many as Microsoft's own driver follows. */
const mostRoutes = 10;

/** Where a log-in goes: the server itself, or where that has sent us. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** One log-in, and out again. */
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
    for (let routes = 0; routes <= mostRoutes; routes++) {
      const connection = await connectionTo(place, options, credential, connectWithin);
      if (hasFired(signal)) throw unavailable(`${where}: not asked, no time was left`);
      const attempt = attemptWith(connection, signal);
      giveUp = attempt.giveUp;
      const { error, errors, route } = await attempt.ended;
      if (route === undefined && error === undefined) return "accepted";
      const late =
        limit.reached() ?? (hasFired(signal) ? "no answer in the time there was" : undefined);
      if (late !== undefined) throw unavailable(`${where}: ${late}`);
      if (route === undefined) {
        const verdict = loginVerdict(errors, error, seenFrom(where, place, options));
        if (verdict === "rejected") return verdict;
        throw verdict;
      }
      place = route;
    }
  } finally {
    limit.end();
  }
  throw unavailable(`${where}: it was sent on from one server to the next too often`);
}

const unavailable = (message: string) => new TargetUnavailableError(message);

function seenFrom(where: string, { host, port }: Place, options: AzureSqlServerOptions): string {
  const isRouted = host !== findHost(options) || port !== options.port;
  return isRouted ? `${where}, which sent us to ${host}:${port}` : where;
}

/** The driver leaves it to Node, and Node to this variable, whether certificates mean anything. */
function requireVerification(where: string): void {
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new ConfigError(
    `${where}: not asked, because NODE_TLS_REJECT_UNAUTHORIZED=0 keeps certificates from being verified`,
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
      // TLS from the first byte on: nothing is left to be negotiated away.
      encrypt: "strict",
      trustServerCertificate: false,
      ...(ca && { cryptoCredentialsDetails: { ca } }),
      appName: "keyturn",
      connectTimeout: patience,
      requestTimeout: patience,
      maxRetriesOnTransientErrors: 0,
      ...(connectWithin === undefined && {
        // The driver's types know nothing of what it hands over: address, look-up and a signal.
        connector: (...[, , end]: unknown[]) =>
          connectTcp(host, port, end instanceof AbortSignal ? end : undefined),
      }),
    },
  });
}

interface Ending {
  /** Undefined when it succeeded. */
  readonly error: Error | undefined;
  /** All that the server said: the error that is thrown has no number, and only the last of several is thrown. */
  readonly errors: LoginErrors;
  /** Where the server has sent us instead of letting us in. */
  readonly route: Place | undefined;
}

interface Attempt {
  readonly ended: Promise<Ending>;
  readonly giveUp: () => void;
}

const isHostName = new RegExp(`^${hostName}$`);

/** One log-in to one server. Leaves no connection behind. */
function attemptWith(connection: Connection, signal: AbortSignal): Attempt {
  // What comes after the answer has no meaning any more, but unheard it would end the process.
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
    resolve({ error: new Error("no time is left"), route: undefined });
  };
  // The driver would go on by itself, but check the certificate against the name of the server that sent us on. That
  // one has proven its name, so where it sends us is right; whoever is there must prove the name it was given.
  const emitter: EventEmitter = connection;
  emitter.on("rerouting", () => {
    const { server = "", port = 0 } = connection.routingData ?? {};
    connection.close();
    if (isHostName.test(server)) resolve({ error: undefined, route: { host: server, port } });
    else resolve({ error: new Error("it was sent on to no host"), route: undefined });
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

/** It may fire during any await, which a narrowed property would not show. */
function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}
