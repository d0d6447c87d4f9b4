import { toEvent } from "../../core/events.ts";
import { cancelDated, describeNotCancellable } from "../../core/lifecycle/dated.ts";
import type { Refused } from "../../core/lifecycle/given.ts";
import { describeJustification, type Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { FindTarget } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { reportOnce } from "./report.ts";
import type { RequestKey } from "./request-key.ts";

/** A scheduled rotation that a person has cancelled. */
export interface CancelledRotation {
  readonly rotationId: string;
  /** The date for which it was scheduled, and by whom. */
  readonly notBefore: Instant;
  readonly requestedBy: string;
  readonly why: string;
}

export interface CancelInput {
  readonly rotationId: string;
  readonly origin: Origin;
  readonly key?: RequestKey | undefined;
}

export interface Cancelling {
  /**
   * Cancels a rotation that waits for its date. Refused once it is queued, under way or over. Returns undefined when the target or the
   * rotation does not exist.
   */
  cancelRotation(
    targetId: string,
    input: CancelInput,
  ): Promise<CancelledRotation | Refused | undefined>;
}

export function makeCancelling(ports: Ports, find: FindTarget): Cancelling {
  return {
    async cancelRotation(targetId, input) {
      const target = await find(targetId);
      return target && (await cancelRotation(ports, target, input));
    },
  };
}

interface Answer {
  /** Absent: no rotation with this id waits for its date. */
  readonly cancelled?: CancelledRotation;
}

/** Cancels the rotation, even while a worker holds the target. Durable when it returns. */
export async function cancelRotation(
  ports: Ports,
  target: Target,
  { rotationId, origin, key }: CancelInput,
): Promise<CancelledRotation | Refused | undefined> {
  const { answer, isRepeat } = await reportOnce<Answer>(ports, target, key, (before, now) => {
    const done = cancelDated(before, { rotationId, origin, now }, target);
    if (!done) return { record: before, answer: {} };
    const { record, run, cancelled } = done;
    return {
      record,
      answer: { cancelled: viewCancelled(cancelled) },
      runs: [run],
      entry: {
        ...origin,
        action: "rotation.cancel",
        cause: run.reason,
        rotations: [rotationId],
        detail: `scheduled for ${cancelled.notBefore} by ${cancelled.requestedBy}`,
      },
    };
  });
  if (!answer.cancelled) {
    const run = await ports.journal.run(target.id, rotationId);
    return run && { refused: describeNotCancellable(run) };
  }
  if (!isRepeat) {
    const at = toInstant(ports.journal.now());
    const detail = `cancelled by ${origin.by}${describeJustification(origin)}`;
    const about = { targetId: target.id, rotationId };
    ports.emit(toEvent({ type: "rotation-cancelled", at, ...about, detail }));
  }
  return answer.cancelled;
}

function viewCancelled({
  rotationId,
  notBefore,
  requestedBy,
}: Omit<CancelledRotation, "why">): CancelledRotation {
  const why = `The rotation that ${requestedBy} scheduled for ${notBefore} is cancelled.`;
  return { rotationId, notBefore, requestedBy, why };
}
