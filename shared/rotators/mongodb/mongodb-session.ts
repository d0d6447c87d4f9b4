import { setTimeout as wait } from "node:timers/promises";
import type { Document, MongoClient, MongoClientOptions } from "mongodb";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../connection/connect-limit.ts";
import { hearSignal } from "../connection/heard-signal.ts";
import type { Keepable } from "../connection/kept-sessions.ts";
import { tcpWithin } from "../connection/tcp-limit.ts";
import { makeSecureContext } from "../connection/tls.ts";
import { isRejection, toLoginError } from "./mongodb-errors.ts";
import { listMembers, type MongodbOptions } from "./mongodb-options.ts";

/** Milliseconds to wait for an orderly close, if the server does not answer it. */
const goodbye = 500;

/** Milliseconds. They matter only if the caller sets no deadline; `signal` usually fires earlier. */
const patience = { connectTimeoutMS: tcpWithin, serverSelectionTimeoutMS: 15_000 };
const silence = { socketTimeoutMS: 30_000 };

export interface Session extends Keepable {
  /** Rejects with the driver's own errors. They contain the command, so they must not leave the rotator. */
  run(database: string, command: Document): Promise<Document>;
}

/** Describes the account in messages. */
export function describeAccount(
  options: MongodbOptions,
  account: string,
  authDatabase: string,
): string {
  const members = listMembers(options).join(",");
  return `MongoDB at ${members}, account ${account} in authentication database ${authDatabase}`;
}

export interface LogInOptions {
  readonly authDatabase: string;
  readonly signal: AbortSignal;
  /** Milliseconds. By default, the limits of the driver apply. */
  readonly connectWithin?: number | undefined;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function logIn(
  options: MongodbOptions,
  credential: Credential,
  { authDatabase, signal, connectWithin }: LogInOptions,
): Promise<Session | "rejected"> {
  const where = describeAccount(options, credential.account, authDatabase);
  requireUsable(credential, where);
  const settings = {
    ...(await settingsFor(options, credential, authDatabase)),
    ...patienceFor(connectWithin),
  };
  const { MongoClient } = await import("mongodb");
  if (hasFired(signal))
    throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);

  const client = new MongoClient(`mongodb://${listMembers(options).join(",")}/`, settings);
  const line = watchLine(client, listMembers(options).length, signal);
  const limit = connectLimit(connectWithin, line.giveUp);
  try {
    await line.unlessLost(client.connect());
    limit.end();
  } catch (error) {
    limit.end();
    await line.close();
    if (isRejection(error)) return "rejected";
    const isOver = signal.aborted ? "timed out" : undefined;
    const late = limit.reached() ?? isOver;
    if (late !== undefined) throw new TargetUnavailableError(`${where}: ${late}`);
    throw toLoginError(error, where);
  }
  return toSession(client, line);
}

function toSession(client: MongoClient, line: ReturnType<typeof watchLine>): Session {
  const run: Session["run"] = (database, command) =>
    line.unlessLost(client.db(database).command(command, line.options()));
  return {
    run,
    rest: () => {
      line.listen(undefined);
    },
    async resume(signal) {
      line.listen(signal);
      try {
        await run("admin", { ping: 1 });
        return true;
      } catch {
        await line.close();
        return false;
      }
    },
    close: () => line.close(),
  };
}

export function requireUsable({ account, secret }: Credential, where: string): void {
  if (account === "") throw new ConfigError(`${where}: the name of the account is empty`);
  if (secret.reveal() === "") throw new ConfigError(`${where}: the secret is empty`);
}

async function settingsFor(
  { host, replicaSet, tls }: MongodbOptions,
  { account, secret }: Credential,
  authSource: string,
): Promise<MongoClientOptions> {
  return {
    // Never in the connection string: the driver repeats that in its errors.
    auth: { username: account, password: secret.reveal() },
    authSource,
    directConnection: host !== undefined,
    ...(replicaSet !== undefined && { replicaSet }),
    maxPoolSize: 1,
    retryReads: false,
    retryWrites: false,
    serverMonitoringMode: "poll",
    appName: "keyturn",
    ...silence,
    ...(tls.mode === "verify-full" && {
      tls: true,
      // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED decides.
      rejectUnauthorized: true,
      secureContext: await makeSecureContext(tls.caFile),
    }),
  };
}

/** The limits of the driver, longer than `connectWithin` so that `connectWithin` ends the attempt. */
function patienceFor(connectWithin: number | undefined): MongoClientOptions {
  if (connectWithin === undefined) return patience;
  const longer = connectWithin + goodbye;
  return { connectTimeoutMS: longer, serverSelectionTimeoutMS: longer };
}

/** Closes the connection when the signal fires or no member can be reached; the driver itself would continue to try. */
function watchLine(client: MongoClient, members: number, signal: AbortSignal) {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  let closing: Promise<void> | undefined;

  // An orderly close sends a message, and a silent server would make it wait.
  const leave = () => (closing ??= client.close().catch(() => undefined));
  const giveUp = () => {
    lost.reject(new Error("timed out"));
    void leave();
  };
  const heard = hearSignal(signal, giveUp);

  // Once one member has answered, others may be down: the driver finds the primary, or times out.
  let reached = false;
  const unreachable = new Set<string>();
  client.on("serverHeartbeatSucceeded", () => {
    reached = true;
  });
  client.on("serverHeartbeatFailed", ({ connectionId, failure }) => {
    unreachable.add(connectionId);
    if (reached || unreachable.size < members) return;
    lost.reject(failure);
    void leave();
  });

  return {
    giveUp,
    listen: (next: AbortSignal | undefined) => {
      heard.listen(next);
    },
    options: () => {
      const current = heard.current();
      return current ? { signal: current } : {};
    },
    unlessLost: <Result>(work: Promise<Result>) => Promise.race([work, lost.promise]),
    async close() {
      heard.listen(undefined);
      await Promise.race([leave(), wait(goodbye, undefined, { ref: false })]);
    },
  };
}

/** Whether the signal has fired. TypeScript would narrow the property, although it can change during any await. */
function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}
