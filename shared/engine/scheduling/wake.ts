import { decideWork } from "../../core/lifecycle/decide.ts";
import { goesFirst } from "../../core/record/first.ts";
import type { TargetRecord } from "../../core/record/record.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Queue } from "../../stores/queue.ts";
import { freezesKnownAfterMs, freezeTargets } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { reschedule } from "../work/reschedule.ts";

/** The most targets that one call of a person wakes, so that it neither floods a vault nor takes long. The next sweep finds the others. */
export const maxWoken = 100;

export interface WakeQueues {
  readonly queue: Queue;
  readonly firstQueue: Queue;
}

/** The queue for the message about a target. */
export function chooseQueue(record: TargetRecord, { queue, firstQueue }: WakeQueues): Queue {
  return goesFirst(record) ? firstQueue : queue;
}

/**
 * Sends messages for the targets that are due without the freeze that has just ended. They arrive when every worker knows of the end: a
 * worker that does not would delay the target again. A failure only costs time: the sweep finds the targets.
 */
export async function wakeReleased(
  ports: Pick<Ports, "journal" | "freezes">,
  queues: WakeQueues,
  targets: readonly Target[],
): Promise<void> {
  try {
    const released = await findReleased(ports, targets);
    await Promise.all(
      released.slice(0, maxWoken).map((record) => {
        const message = { targetId: record.targetId, because: "freeze ended" };
        return chooseQueue(record, queues).send(message, freezesKnownAfterMs);
      }),
    );
  } catch {
    // The end of the freeze is durable already.
  }
}

async function findReleased(
  ports: Pick<Ports, "journal" | "freezes">,
  targets: readonly Target[],
): Promise<readonly TargetRecord[]> {
  const { records } = await ports.journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  const now = toInstant(ports.journal.now());
  return (await freezeTargets(ports, targets)).flatMap((target) => {
    const record = known.get(target.id);
    return record && isReleased(record, target, now) ? [record] : [];
  });
}

/** Whether the target has work now that it did not have with its freezes of before. */
function isReleased(record: TargetRecord, target: Target, now: Instant): boolean {
  if (decideWork(record, now) !== "wait") return false;
  return decideWork(reschedule(record, target, now), now) !== "wait";
}
