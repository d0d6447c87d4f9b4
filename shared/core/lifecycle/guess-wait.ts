import { findGuessPause, maxSearchGuesses } from "../looks/guesses.ts";
import type { TargetRecord } from "../record/record.ts";
import type { Instant } from "../time.ts";
import type { Waiting } from "./waiting.ts";

export interface GuessWait extends Required<Waiting> {
  readonly account: string;
}

/**
 * Until when the open rotation makes no log-in, because the target has refused the account too often. A request makes the rotation try
 * at once, but the try meets the same limit and waits again.
 */
export function findGuessWait(
  { rotation, refusals = [] }: TargetRecord,
  now: Instant,
): GuessWait | undefined {
  const until = rotation?.nextAttemptAt;
  if (until === undefined || until <= now || rotation?.heldBy !== undefined) return undefined;
  // The end of such a wait is exactly the end of the limit.
  const isLimit = (account: string) =>
    [undefined, maxSearchGuesses].some(
      (tries) => findGuessPause(refusals, account, now, tries) === until,
    );
  const account = refusals.find((one) => isLimit(one.account))?.account;
  if (account === undefined) return undefined;
  const why = `the target refused log-ins of account ${account} too often. To avoid locking it, Keyturn waits`;
  return { account, until, why };
}
