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
import { report } from "./report.ts";

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
): Promise<PauseResult> {
  requireEnd(wanted, toInstant(ports.journal.now()));
  const { pause, replaced, effect } = await report(
    ports,
    target,
    (before, now) => acceptPause(before, wanted, now),
    ({ pause: { by, reason, ticket, until } }) => ({
      ...{ by, action: "target.pause", reason, ticket, detail: `until ${until}` },
    }),
  );
  const at = toInstant(ports.journal.now());
  ports.emit(toEvent({ type: "paused", at, targetId: target.id, detail: describePause(pause) }));
  return { pause, ...(replaced && { replaced }), why: effect };
}

/** Ends the pause that is in force when the caller comes, and no later one. Durable when it returns. */
export async function resumeTarget(
  ports: Ports,
  target: Target,
  origin: Origin,
): Promise<ResumeResult> {
  let seen: { readonly pause: Pause | undefined } | undefined;
  const { ended, newer } = await report(
    ports,
    target,
    (before, now) => {
      seen ??= { pause: before.pause };
      return acceptResume(before, seen.pause, now);
    },
    (accepted) => ({
      ...{ ...origin, action: "target.resume" },
      ...(accepted.ended && { detail: describePause(accepted.ended) }),
    }),
  );
  const why = describeResume({ ...(ended && { ended }), ...(newer && { newer }) });
  if (ended) {
    const at = toInstant(ports.journal.now());
    const detail = `resumed by ${origin.by}${describeJustification(origin)}, before the end: ${describePause(ended)}`;
    ports.emit(toEvent({ type: "resumed", at, targetId: target.id, detail }));
  }
  return { resumed: ended !== undefined, why, ...(newer && { pause: newer }) };
}
