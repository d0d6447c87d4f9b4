import type { Document, MongoClient, MongoClientOptions } from "mongodb";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { connectLimit } from "../common/connection/connect-limit.ts";
import { hasFired } from "../common/connection/heard-signal.ts";
import type { Keepable } from "../common/connection/kept-sessions.ts";
import { tcpWithin } from "../common/connection/tcp-limit.ts";
import { makeSecureContext } from "../common/connection/tls.ts";
import { describeHangUp, isHangUp, isRejection, toLoginError } from "./mongodb-errors.ts";
import { goodbye, type Line, watchLine } from "./mongodb-line.ts";
import { listMembers, type MongodbOptions, toConnectionString } from "./mongodb-options.ts";

/** Milliseconds. They matter only if the caller sets no deadline; `signal` usually fires earlier. */
const patience = { connectTimeoutMS: tcpWithin, serverSelectionTimeoutMS: 15_000 };
const silence = { socketTimeoutMS: 30_000 };

export interface Session extends Keepable {
  /** Rejects with the driver's own errors. They contain the command, so they must not leave the rotator. */
  run(database: string, command: Document): Promise<Document>;
  /** Every mongos that the driver knows, as `name:port`. The driver sends each command to any of them. */
  readonly routers: readonly string[];
  /** The other mongos, if the session belongs to one of several. */
  readonly others: readonly string[];
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
  /** Whether the server may be a secondary. It knows a change of a password later than the primary does. */
  readonly maySecondary?: boolean;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function openSession(
  options: MongodbOptions,
  credential: Credential,
  { authDatabase, signal, connectWithin, maySecondary = false }: LogInOptions,
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

  const client = new MongoClient(toConnectionString(options), settings);
  const { replicaSet, srvHost } = options;
  const members = srvHost === undefined ? listMembers(options).length : undefined;
  const line = watchLine(client, { replicaSet, members }, signal);
  const limit = connectLimit(connectWithin, () => {
    line.giveUp();
  });
  const requirePrimary = () => {
    if (maySecondary || options.host === undefined || line.greeting()?.isWritable !== false) return;
    throw new TargetUnavailableError(
      `${where}: the server is not the primary, and only the primary knows the valid password at once. ` +
        "Set options.hosts to the members of the replica set, and options.replicaSet to its name",
    );
  };
  try {
    await line.unlessLost(client.connect());
    requirePrimary();
  } catch (error) {
    await line.close();
    if (error instanceof TargetUnavailableError) throw error;
    if (isRejection(error)) {
      requirePrimary();
      return "rejected";
    }
    const isOver = hasFired(signal) ? "timed out" : undefined;
    throw toFailure(error, { where, options, line, late: limit.reached() ?? isOver });
  } finally {
    limit.end();
  }
  return toSession(client, line);
}

interface Circumstances {
  readonly where: string;
  readonly options: MongodbOptions;
  readonly line: Line;
  /** Says which limit ended the attempt, if one did. */
  readonly late: string | undefined;
}

function toFailure(error: unknown, { where, options, line, late }: Circumstances): Error {
  const problem = line.problem();
  if (problem?.isFinal === true) return new ConfigError(`${where}: ${problem.sentence}`);
  const why = [late, problem?.sentence].filter((part) => part !== undefined).join("; ");
  if (why !== "") return new TargetUnavailableError(`${where}: ${why}`);
  if (!isHangUp(error)) return toLoginError(error, where);
  return new TargetUnavailableError(
    `${where}: ${describeHangUp(options.tls.mode, line.isAnswered())}`,
  );
}

function toSession(client: MongoClient, line: Line): Session {
  const run: Session["run"] = (database, command) =>
    line.unlessLost(client.db(database).command(command, line.options()));
  return {
    run,
    routers: line.routers(),
    others: [],
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

export function requireUsable({ secret }: Credential, where: string): void {
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
    ...(host !== undefined && { directConnection: true }),
    ...(replicaSet !== undefined && { replicaSet }),
    maxPoolSize: 1,
    retryReads: false,
    retryWrites: false,
    serverMonitoringMode: "poll",
    appName: "keyturn",
    ...silence,
    // A host of `mongodb+srv` would switch TLS on by itself.
    tls: tls.mode === "verify-full",
    ...(tls.mode === "verify-full" && {
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
