import { TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { aimAt, listRouters, type MongodbOptions } from "./mongodb-options.ts";
import { type LogInOptions, openSession, type Session } from "./mongodb-session.ts";

/**
 * Opens a new connection, or returns "rejected" if the server checked the credential and refused it. Of several mongos, the session
 * belongs to the first that answers: the driver would send each command to any of them.
 */
export async function logIn(
  options: MongodbOptions,
  credential: Credential,
  how: LogInOptions,
): Promise<Session | "rejected"> {
  const toAny = (routers: readonly string[]) => logInToAny(routers, options, credential, how);
  const configured = listRouters(options);
  if (configured.length > 0) return toAny(configured);
  const session = await openSession(options, credential, how);
  if (session === "rejected" || session.routers.length < 2) return session;
  await session.close();
  return toAny(session.routers);
}

async function logInToAny(
  routers: readonly string[],
  options: MongodbOptions,
  credential: Credential,
  how: LogInOptions,
): Promise<Session | "rejected"> {
  let failure: unknown;
  for (const address of routers) {
    try {
      const session = await openSession(aimAt(options, address), credential, how);
      if (session === "rejected") return session;
      return { ...session, others: routers.filter((other) => other !== address) };
    } catch (error) {
      if (!(error instanceof TargetUnavailableError) || how.signal.aborted) throw error;
      failure ??= error;
    }
  }
  throw failure;
}
