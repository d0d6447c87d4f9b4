import { isKnownError, TargetUnavailableError } from "../../core/errors.ts";
import type { Check } from "../rotator.ts";
import { kept } from "./mongodb-authority.ts";
import { toLoginError } from "./mongodb-errors.ts";
import { logIn } from "./mongodb-log-in.ts";
import { waitForMajority } from "./mongodb-majority.ts";
import { aimAt, type MongodbOptions } from "./mongodb-options.ts";
import { describeAccount, type Session } from "./mongodb-session.ts";

type Outcome = "accepted" | "rejected";

/** Logs in where consumers do: at the primary, or at every mongos that answers, because each learns of a change by itself. */
export async function logInAsConsumer(
  check: Check<MongodbOptions>,
  signal: AbortSignal,
): Promise<Outcome> {
  const session = await logInOnce(check, signal);
  if (session === "rejected") return session;
  const { options, credential, mayStay = false } = check;
  if (mayStay) kept.keep({ options: [options, homeOf(check)], credential, mayStay }, session);
  else await session.close();
  for (const address of session.others) {
    const other = { ...check, options: aimAt(options, address) };
    if ((await tryOther(other, signal)) === "rejected") return "rejected";
  }
  return "accepted";
}

function homeOf({ options, as }: Check<MongodbOptions>): string {
  return as === "admin" ? options.adminAuthDatabase : options.authDatabase;
}

/** A mongos that is down serves no consumers. */
async function tryOther(
  check: Check<MongodbOptions>,
  signal: AbortSignal,
): Promise<Outcome | "unavailable"> {
  try {
    const session = await logInOnce(check, signal);
    if (session === "rejected") return session;
    await session.close();
    return "accepted";
  } catch (error) {
    if (error instanceof TargetUnavailableError && !signal.aborted) return "unavailable";
    throw error;
  }
}

async function logInOnce(
  check: Check<MongodbOptions>,
  signal: AbortSignal,
): Promise<Session | "rejected"> {
  const { options, credential, as, connectWithin } = check;
  const authDatabase = homeOf(check);
  const session = await logIn(options, credential, { authDatabase, signal, connectWithin });
  if (session === "rejected") return "rejected";
  const where = describeAccount(options, credential.account, authDatabase);
  try {
    await session.run(options.database, { ping: 1 });
    // No change of the admin's password waits to be published.
    if (as !== "admin") await waitForMajority(session, where);
    return session;
  } catch (error) {
    await session.close();
    throw isKnownError(error) ? error : toLoginError(error, where);
  }
}
