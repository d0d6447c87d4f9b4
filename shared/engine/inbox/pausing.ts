import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { type PauseInput, requireEnd } from "../../core/lifecycle/pausing.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import type { Queue } from "../../stores/queue.ts";
import { freezeTarget } from "../fleet/frozen-targets.ts";
import type { Ports } from "../ports.ts";
import { sendIfDue } from "../scheduling/messages.ts";
import { type PauseResult, pauseTarget, type ResumeResult, resumeTarget } from "./pause.ts";
import { type ManyWritten, select, type Selection, writeToEach } from "./pause-many.ts";

/** Ids of a selection that are not configured. Nothing was written. */
export interface UnknownTargets {
  readonly unknown: readonly string[];
}

/** Pauses and resumes. They return undefined when the target does not exist, and throw ConfigError for a pause that cannot be made. */
export interface Pausing {
  /** No rotation and no retirement of the target starts before the end of the pause. */
  readonly pause: (targetId: string, wanted: PauseInput) => Promise<PauseResult | undefined>;
  readonly resume: (targetId: string, origin: Origin) => Promise<ResumeResult | undefined>;
  /** Each target is written by itself: the answer lists those that could not be written. */
  readonly pauseAll: (
    selection: Selection,
    wanted: PauseInput,
  ) => Promise<ManyWritten<PauseResult> | UnknownTargets>;
  readonly resumeAll: (
    selection: Selection,
    origin: Origin,
  ) => Promise<ManyWritten<ResumeResult> | UnknownTargets>;
}

export function makePausing(
  ports: Ports,
  byId: ReadonlyMap<string, Target>,
  firstQueue: Queue,
): Pausing {
  async function pause(target: Target, wanted: PauseInput): Promise<PauseResult> {
    return pauseTarget(ports, await freezeTarget(ports, target), wanted);
  }

  async function resume(target: Target, origin: Origin): Promise<ResumeResult> {
    const result = await resumeTarget(ports, await freezeTarget(ports, target), origin);
    if (result.resumed) await wake(ports, target, firstQueue);
    return result;
  }
  return {
    async pause(targetId, wanted) {
      const target = byId.get(targetId);
      return target && (await pause(target, wanted));
    },
    async resume(targetId, origin) {
      const target = byId.get(targetId);
      return target && (await resume(target, origin));
    },
    async pauseAll(selection, wanted) {
      requireEnd(wanted, toInstant(ports.journal.now()));
      const targets = await select(ports, byId, selection);
      if ("unknown" in targets) return targets;
      return writeToEach(targets, (target) => pause(target, wanted));
    },
    async resumeAll(selection, origin) {
      const targets = await select(ports, byId, selection);
      if ("unknown" in targets) return targets;
      return writeToEach(targets, (target) => resume(target, origin));
    },
  };
}

/** Sends a message if the pause was all that the target waited for. A failure only costs time: the sweep finds the target. */
async function wake(ports: Ports, { id }: Target, queue: Queue): Promise<void> {
  const found = await ports.journal.read(id).catch(() => undefined);
  const wakeAt = found && findWakeTime(found.record, toInstant(ports.journal.now()));
  await sendIfDue(ports, queue, { targetId: id, because: "resumed" }, wakeAt);
}
