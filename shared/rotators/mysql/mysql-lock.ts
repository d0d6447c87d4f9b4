import { createHash } from "node:crypto";
import { z } from "zod";
import { isKnownError, TargetUnavailableError } from "../../core/errors.ts";
import { toFailure, toQueryError } from "./mysql-errors.ts";
import type { Session } from "./mysql-session.ts";

/** Seconds to wait until the server has released the lock of a connection that ends. */
const releaseTimeout = 10;

const noSuchThread = 1094;

/** At most 64 characters. It belongs to an account name, whatever its hosts. */
export const toLockName = (account: string): string =>
  `keyturn:${createHash("sha256").update(account).digest("hex").slice(0, 40)}`;

export interface AccountLock {
  /** The account that the work changes. */
  readonly account: string;
  /** The name of the account that the session is logged in as. */
  readonly loggedInAs: string;
  /** For messages. */
  readonly where: string;
}

/**
 * Runs the work while no other connection of Keyturn can change the account. A server notices late, or only after a statement, that a
 * client is gone. Therefore a connection takes this lock before it sends a change, and keeps it as long as the server runs the
 * change. A connection that finds the lock taken ends the one that holds it if that is its own, and waits until the server has released
 * the lock. Any client can take the lock, so a connection of another account is never ended: TargetUnavailableError names it.
 *
 * The lock ends with the session if the work fails.
 */
export async function withAccountLock<Result>(
  session: Session,
  lock: AccountLock,
  work: () => Promise<Result>,
): Promise<Result> {
  const name = toLockName(lock.account);
  try {
    if (!(await takeLock(session, name, 0))) await takeFromHolder(session, name, lock);
  } catch (error) {
    throw isKnownError(error) ? error : toQueryError(toFailure(error), lock.where);
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

async function takeFromHolder(
  session: Session,
  name: string,
  { account, loggedInAs, where }: AccountLock,
): Promise<void> {
  const [row] = await session.query("SELECT IS_USED_LOCK(?) AS holder", [name]);
  const holder = z.coerce.number().int().positive().safeParse(row?.["holder"]).data;
  const owner = holder === undefined ? undefined : await findOwner(session, holder);
  if (holder !== undefined && owner?.name === loggedInAs) await kill(session, holder);
  else if (await takeLock(session, name, 0)) return;
  else if (holder !== undefined) {
    throw new TargetUnavailableError(
      `${where}: connection ${holder} of ${owner === undefined ? "another account" : `account ${owner.text}`} holds the lock under ` +
        `which Keyturn changes \`${account}\`, so it may still change the password. No change was sent. Keyturn ends only connections ` +
        `of \`${loggedInAs}\`. Find out what that connection does, and run: KILL ${holder}`,
    );
  }
  if (await takeLock(session, name, releaseTimeout)) return;
  throw new TargetUnavailableError(
    `${where}: an earlier change of the account still runs${holder === undefined ? "" : ` in connection ${holder}`}, and did not end within ${releaseTimeout} seconds. No change was sent`,
  );
}

/** The account of a connection. Undefined if the connection is gone, or, without PROCESS, if it is of another account. */
async function findOwner(session: Session, connection: number) {
  const rows = await session.query(
    `SELECT USER AS name, HOST AS host FROM information_schema.PROCESSLIST WHERE ID = ${connection}`,
  );
  const [owner] = z.array(z.object({ name: z.string(), host: z.string() })).parse(rows);
  return owner && { name: owner.name, text: `\`${owner.name}\` from ${owner.host}` };
}

async function kill(session: Session, connection: number): Promise<void> {
  try {
    await session.query(`KILL ${connection}`);
  } catch (error) {
    if (toFailure(error).errno !== noSuchThread) throw error;
  }
}
