import { ChangeRefusedError } from "../../core/errors.ts";

/** What one list of sessions shows. Both are read from the same answer of the target. */
export interface SessionsSeen {
  /** Our own connection, logged in as the authority. */
  readonly own: boolean;
  /** A connection of the account that is not ours. */
  readonly others: boolean;
}

/**
 * Whether somebody but us is logged in. A list from which even our own connection is missing proves nothing. `right`
 * is what the authority needs to be shown every session.
 */
export function isAnybodySeen(
  { own, others }: SessionsSeen,
  where: string,
  right: string,
): boolean {
  if (others) return true;
  if (own) return false;
  throw new ChangeRefusedError(
    `${where}: the target cannot be asked who is logged in: its list of sessions does not even show our own ` +
      `connection. Give the account we log in with the right ${right}, or use a target that lists all sessions.`,
  );
}
