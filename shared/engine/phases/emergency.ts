import { TargetUnavailableError, VaultUnavailableError } from "../../core/errors.ts";
import type { Rotation } from "../../core/record/record.ts";
import { between, type Instant, minute, plus, second } from "../../core/time.ts";
import { toFailure } from "../failure.ts";
import type { TargetSession } from "../session.ts";

const maxEmergencyMs = minute;
const maxTries = 30;
/** Two tries are enough after a lost connection; more would keep the worker from other targets if the server is down. */
const maxTriesAtTarget = 2;
/** Milliseconds. The vault may be busy for a moment, or an operator may be changing a firewall. */
const firstPause = second;
const laterPause = 3 * second;

/**
 * Between a change and its publication the target may refuse consumers, and a new message may wait behind thousands of others. So the
 * worker keeps the target while the vault cannot be reached: it tries again within a second, then every few seconds, for a minute. If the
 * server cannot be reached, the worker tries twice more.
 */
export function makeEmergency(session: TargetSession) {
  let since: Instant | undefined;
  let tries = 0;

  /** Whether to try the failed step again now. Waits before it returns true. */
  return async function isWorthAnotherTry(rotation: Rotation, error: unknown): Promise<boolean> {
    const isPublishing = rotation.phase === "publishing" || rotation.phase === "checking";
    // After a failed attempt, try once per attempt: the vault may be down for hours, and other targets need this worker.
    if (!isPublishing || rotation.failures > 0) return false;
    const isAtVault = error instanceof VaultUnavailableError;
    if (!isAtVault && !(error instanceof TargetUnavailableError)) return false;
    since ??= session.now();
    tries++;
    if (tries > (isAtVault ? maxTries : maxTriesAtTarget)) return false;
    const pause = pauseBefore(session, tries, isAtVault ? error : {});
    const end = plus(session.now(), pause);
    if (between(since, end) > maxEmergencyMs) return false;
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

/** Returns a random number of milliseconds, so that targets that failed together do not come back together. */
function pauseBefore(
  session: TargetSession,
  tries: number,
  { retryAfter = 0 }: { readonly retryAfter?: number | undefined },
): number {
  const [high = 0, low = 0] = session.ports.randomBytes(2);
  const share = (high * 256 + low) / 65_536;
  return Math.round(retryAfter + share * (tries === 1 ? firstPause : laterPause));
}
