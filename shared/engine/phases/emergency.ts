import { TargetUnavailableError, VaultUnavailableError } from "../../core/errors.ts";
import type { Rotation } from "../../core/record/rotation.ts";
import { between, type Instant, minute, plus, second } from "../../core/time.ts";
import { toFailure } from "../failure.ts";
import type { Session } from "../session.ts";

const longest = minute;
const mostTries = 30;
/** A line may have been cut; a server that is down would keep the worker from others. */
const mostTriesAtTarget = 2;
/** Milliseconds. The vault was busy for a moment, or somebody switches a firewall. */
const firstPause = second;
const laterPause = 3 * second;

/**
 * Between a change and its publication consumers may be refused, and a message may wait behind thousands of others. So the worker
 * stays with the target while the vault cannot be asked: it tries again within a second, then every few, for a minute. A server that cannot
 * be asked gets two more tries in place.
 */
export function emergency(session: Session) {
  let since: Instant | undefined;
  let tries = 0;

  /** Whether the step that failed is to be tried again now. */
  return async function isWorthAnotherTry(rotation: Rotation, error: unknown): Promise<boolean> {
    const isPublishing = rotation.phase === "publishing" || rotation.phase === "checking";
    // Later tries are made one at a time: the vault may be away for hours, and others wait for this worker.
    if (!isPublishing || rotation.failures > 0) return false;
    const isAtVault = error instanceof VaultUnavailableError;
    if (!isAtVault && !(error instanceof TargetUnavailableError)) return false;
    since ??= session.now();
    tries++;
    if (tries > (isAtVault ? mostTries : mostTriesAtTarget)) return false;
    const pause = pauseBefore(session, tries, isAtVault ? error : {});
    const end = plus(session.now(), pause);
    if (between(since, end) > longest) return false;
    session.emit({
      type: "attempt-failed",
      rotationId: rotation.id,
      account: rotation.account,
      phase: rotation.phase,
      failure: toFailure(session, error),
      nextAttemptAt: end,
    });
    await session.hold();
    await session.ports.pause(pause);
    await session.hold();
    return true;
  };
}

/** Milliseconds, any of them equally likely: targets that failed together must not come back together. */
function pauseBefore(
  session: Session,
  tries: number,
  { retryAfter = 0 }: { readonly retryAfter?: number | undefined },
): number {
  const [high = 0, low = 0] = session.ports.randomBytes(2);
  const share = (high * 256 + low) / 65_536;
  return Math.round(retryAfter + share * (tries === 1 ? firstPause : laterPause));
}
