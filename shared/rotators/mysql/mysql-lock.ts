import { createHash } from "node:crypto";
import { z } from "zod";
import { isKnownError, TargetUnavailableError } from "../../core/errors.ts";
import { toFailure, toLookError } from "./mysql-errors.ts";
import type { Session } from "./mysql-session.ts";

/** Seconds to wait for the end of an earlier connection. */
const patience = 10;

const noSuchThread = 1094;
const killDenied = 1095;

/** At most 64 characters. It belongs to an account name, whatever its hosts. */
const toLockName = (account: string): string =>
  `keyturn:${createHash("sha256").update(account).digest("hex").slice(0, 40)}`;

/**
 * Runs the work while no other connection of Keyturn can change the account. A server notices late, or only after a statement, that a
 * client is gone. Therefore a connection takes this lock before it sends a change, and keeps it as long as the server runs the
 * change. A connection that finds the lock taken ends the one that holds it, and waits until the server has released the lock.
 *
 * The lock ends with the session if the work fails.
 */
export async function withAccountLock<Result>(
  session: Session,
  account: string,
  where: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const name = toLockName(account);
  try {
    if (!(await takeLock(session, name, 0))) await endHolder(session, name, where);
  } catch (error) {
    throw isKnownError(error) ? error : toLookError(toFailure(error), where);
  }
  const result = await work();
  await session.query("DO RELEASE_LOCK(?)", [name]).catch(() => {
    // The work is done. A session that may still have the lock is not used again.
    return session.close();
  });
  return result;
}

async function takeLock(session: Session, name: string, seconds: number): Promise<boolean> {
  const [row] = await session.query(`SELECT GET_LOCK(?, ${seconds}) AS taken`, [name]);
  return Number(row?.["taken"]) === 1;
}

async function endHolder(session: Session, name: string, where: string): Promise<void> {
  const [row] = await session.query("SELECT IS_USED_LOCK(?) AS holder", [name]);
  const holder = z.coerce.number().int().positive().safeParse(row?.["holder"]).data;
  if (holder !== undefined) await kill(session, holder, where);
  if (await takeLock(session, name, patience)) return;
  throw new TargetUnavailableError(
    `${where}: an earlier change of the account still runs${holder === undefined ? "" : ` in connection ${holder}`}, and did not end within ${patience} seconds. Nothing was changed`,
  );
}

async function kill(session: Session, holder: number, where: string): Promise<void> {
  try {
    await session.query(`KILL ${holder}`);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.errno === noSuchThread) return;
    if (failure.errno !== killDenied) throw error;
    throw new TargetUnavailableError(
      `${where}, error ${killDenied}: connection ${holder} of another account may still change the password, and Keyturn may not ` +
        `end it. Run KILL ${holder}, or grant CONNECTION_ADMIN (MariaDB: CONNECTION ADMIN) to the account that makes the change`,
    );
  }
}
