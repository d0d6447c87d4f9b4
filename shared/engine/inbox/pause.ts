import { toEvent } from "../../core/events.ts";
import {
  acceptPause,
  acceptResume,
  describeResume,
  type PauseInput,
  requireEnd,
} from "../../core/lifecycle/pausing.ts";
import { describeJustification, type Origin } from "../../core/record/justification.ts";
import { describePause, type Pause } from "../../core/record/pause.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import { reportOnce } from "./report.ts";
import type { RequestKey } from "./request-key.ts";

export interface PauseResult {
  readonly pause: Pause;
  /** The pause that was in force and is replaced. */
  readonly replaced?: Pause;
  readonly why: string;
}

export interface ResumeResult {
  /** Whether a pause has ended. */
  readonly resumed: boolean;
  readonly why: string;
  /** The pause that is still in force, because somebody set it meanwhile. */
  readonly pause?: Pause;
}

/** Pauses the target, even while a worker holds it. Durable when it returns. Throws ConfigError if the pause cannot be made. */
export async function pauseTarget(
  ports: Ports,
  target: Target,
  wanted: PauseInput,
  key?: RequestKey,
): Promise<PauseResult> {
  const { answer, isRepeat } = await reportOnce<PauseResult>(ports, target, key, (before, now) => {
    requireEnd(wanted, now);
    const { record, pause, replaced, effect } = acceptPause(before, wanted, now);
    const { by, reason, ticket, until } = pause;
    return {
      record,
      answer: { pause, ...(replaced && { replaced }), why: effect },
      entry: { by, action: "target.pause", reason, ticket, detail: `until ${until}` },
    };
  });
  if (!isRepeat) {
    const at = toInstant(ports.journal.now());
    const detail = describePause(answer.pause);
    ports.emit(toEvent({ type: "paused", at, targetId: target.id, detail }));
  }
  return answer;
}

/** Ends the pause that is in force when the caller comes, and no later one. Durable when it returns. */
export async function resumeTarget(
  ports: Ports,
  target: Target,
  origin: Origin,
  key?: RequestKey,
): Promise<ResumeResult> {
  let seen: { readonly pause: Pause | undefined } | undefined;
  let ended: Pause | undefined;
  const { answer, isRepeat } = await reportOnce<ResumeResult>(ports, target, key, (before, now) => {
    seen ??= { pause: before.pause };
    const { record, ...resume } = acceptResume(before, seen.pause, now);
    ended = resume.ended;
    const newer = resume.newer && { pause: resume.newer };
    const detail = ended && { detail: describePause(ended) };
    return {
      record,
      answer: { resumed: ended !== undefined, why: describeResume(resume), ...newer },
      entry: { ...origin, action: "target.resume", ...detail },
    };
  });
  if (ended && !isRepeat) {
    const at = toInstant(ports.journal.now());
    const detail = `resumed by ${origin.by}${describeJustification(origin)}, before the end: ${describePause(ended)}`;
    ports.emit(toEvent({ type: "resumed", at, targetId: target.id, detail }));
  }
  return answer;
}
