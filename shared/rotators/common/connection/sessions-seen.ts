import { ChangeRefusedError } from "../../../core/errors.ts";

/** The content of one list of sessions. Both values come from the same answer of the target. */
export interface SessionsSeen {
  /** The connection of Keyturn, logged in as the authority. */
  readonly own: boolean;
  /** A connection of the account that is not from Keyturn. */
  readonly others: boolean;
}

/**
 * Whether anyone other than Keyturn is logged in. A list without Keyturn's own connection proves nothing. `right` names the right
 * that the authority needs to see every session.
 */
export function isAnybodySeen(
  { own, others }: SessionsSeen,
  where: string,
  right: string,
): boolean {
  if (others) return true;
  if (own) return false;
  throw new ChangeRefusedError(
    `${where}: Keyturn cannot find out who is logged in: the list of sessions does not show Keyturn's own ` +
      `connection. Grant ${right} to the admin account, or use retire: grace.`,
  );
}
