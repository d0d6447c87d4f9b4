import type { Rotation } from "../../core/record/record.ts";
import { hasOverlap } from "../../core/target.ts";
import type { Change } from "../../rotators/rotator.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { toCredential } from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import { stillLogsIn, type StoredCredential } from "./credentials.ts";
import { GuessPauseError } from "./guess-pause.ts";
import type { Checked } from "./look.ts";

/** The secret that a change should not take away. */
export type Kept = Pick<Change<unknown>, "keep" | "keepInDoubt">;

/** What the checks before a change have found. */
interface Found {
  readonly published: Checked;
  /** The credential with which the account that is about to be changed has just logged in. */
  readonly live: StoredCredential | "refused" | "unknown";
}

/**
 * What the account has now. It is usually the published secret; where the target refuses that, somebody may just have published the one
 * that works. Nothing for an account that can have only one secret, or for one of a pair.
 */
export function findKept(
  session: TargetSession,
  { account }: Rotation,
  { published, live }: Found,
): Kept {
  if (!hasOverlap(session.target)) return {};
  if (typeof live === "object") return { keep: live.credential };
  if (published.is !== "refused") return {};
  const { credential } = published;
  // A refusal that Keyturn only remembers saves a guess, but the password may have been set again since.
  const isRemembered = credential.account === account && !session.hasSeenRefused(credential);
  return isRemembered ? { keep: credential, keepInDoubt: true } : {};
}

/** The published secret of the account, unless the target refuses it beside the one that the account may have got since. */
export async function findStillValid(
  session: TargetSession,
  { account }: Rotation,
  stored: StoredSecret | Unreadable,
): Promise<Kept> {
  if (!hasOverlap(session.target)) return {};
  const keep = typeof stored === "string" ? undefined : toCredential(session, stored, [account]);
  if (typeof stored === "string" || !keep) return {};
  try {
    if (await stillLogsIn(session, { credential: keep, ref: stored.ref, isSearch: true })) {
      return { keep };
    }
  } catch (error) {
    if (!(error instanceof GuessPauseError)) throw error;
  }
  return session.hasSeenRefused(keep) ? {} : { keep, keepInDoubt: true };
}
