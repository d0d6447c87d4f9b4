import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { type PauseInput, requireEnd } from "../../core/lifecycle/pausing.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import { freezeTarget } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { sendNow } from "../scheduling/messages.ts";
import { chooseQueue, maxWoken, type WakeQueues } from "../scheduling/wake.ts";
import { type PauseResult, pauseTarget, type ResumeResult, resumeTarget } from "./pause.ts";
import { type ManyWritten, type Selection, selectOnce, writeToEach } from "./pause-many.ts";
import type { RequestKey } from "./request-key.ts";

/** Ids of a selection that are not configured. Nothing was written. */
export interface UnknownTargets {
  readonly unknown: readonly string[];
}

/** Pauses and resumes. They return undefined when the target does not exist, and throw ConfigError for a pause that cannot be made. */
export interface Pausing {
  /** No rotation and no retirement of the target starts before the end of the pause. */
  readonly pause: (
    targetId: string,
    wanted: PauseInput,
    key?: RequestKey,
  ) => Promise<PauseResult | undefined>;
  readonly resume: (
    targetId: string,
    origin: Origin,
    key?: RequestKey,
  ) => Promise<ResumeResult | undefined>;
  /** Each target is written by itself: the answer lists those that could not be written. */
  readonly pauseAll: (
    selection: Selection,
    wanted: PauseInput,
    key?: RequestKey,
  ) => Promise<ManyWritten<PauseResult> | UnknownTargets>;
  readonly resumeAll: (
    selection: Selection,
    origin: Origin,
    key?: RequestKey,
  ) => Promise<ManyWritten<ResumeResult> | UnknownTargets>;
}

export function makePausing(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  { queue, firstQueue }: WakeQueues,
): Pausing {
  async function pause(
    target: Target,
    wanted: PauseInput,
    key: RequestKey | undefined,
  ): Promise<PauseResult> {
    return pauseTarget(ports, await freezeTarget(ports, target), wanted, key);
  }

  async function resume(target: Target, { origin, key, waking }: Resuming): Promise<ResumeResult> {
    const result = await resumeTarget(ports, await freezeTarget(ports, target), origin, key);
    if (result.resumed) await wake(ports, target, waking);
    return result;
  }
  return {
    async pause(targetId, wanted, key) {
      const target = byId.get(targetId);
      return target && (await pause(target, wanted, key));
    },
    async resume(targetId, origin, key) {
      const target = byId.get(targetId);
      const waking = { queue: firstQueue, firstQueue, left: 1 };
      return target && (await resume(target, { origin, key, waking }));
    },
    async pauseAll(selection, wanted, key) {
      const targets = await selectOnce(ports, byId, {
        ...{ selection, key },
        check: () => {
          requireEnd(wanted, toInstant(ports.journal.now()));
        },
      });
      if ("unknown" in targets) return targets;
      return writeToEach(targets, (target) => pause(target, wanted, key));
    },
    async resumeAll(selection, origin, key) {
      const targets = await selectOnce(ports, byId, { selection, key });
      if ("unknown" in targets) return targets;
      const waking = { queue, firstQueue, left: maxWoken };
      return writeToEach(targets, (target) => resume(target, { origin, key, waking }));
    },
  };
}

interface Resuming {
  readonly origin: Origin;
  readonly key: RequestKey | undefined;
  readonly waking: Waking;
}

interface Waking extends WakeQueues {
  /** How many more messages the call may send. */
  left: number;
}

/** Sends a message if the pause was all that the target waited for. A failure only costs time: the sweep finds the target. */
async function wake(ports: Ports, { id }: Target, waking: Waking): Promise<void> {
  const found = await ports.journal.read(id).catch(() => undefined);
  const now = toInstant(ports.journal.now());
  const wakeAt = found && findWakeTime(found.record, now);
  if (!found || wakeAt === undefined || wakeAt > now || waking.left-- <= 0) return;
  const queue = chooseQueue(found.record, waking);
  await sendNow(ports, queue, { targetId: id, because: "resumed" }, wakeAt);
}
