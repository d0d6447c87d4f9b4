import type { VersionRef } from "../target.ts";
import type { Instant } from "../time.ts";
import type { Justification } from "./justification.ts";
import type { Force } from "./pause.ts";
import type { Failure, Lift, PhaseTime, Reason, recordSchema, StartReason } from "./record.ts";

/** `cancelled`: a person cancelled the rotation before its date, so it never began. */
export const runStates = ["queued", "running", "done", "failed", "blocked", "cancelled"] as const;
type RunState = (typeof runStates)[number];

/** Whether nothing more happens to the rotation. A blocked one continues after a person acts. */
export function isFinal(state: string): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** One rotation in the history of a target. */
export interface RunRecord extends StartReason {
  readonly schema: typeof recordSchema;
  readonly rotationId: string;
  readonly targetId: string;
  readonly state: RunState;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  readonly account?: string;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly phases: readonly PhaseTime[];
  readonly published?: VersionRef;
  readonly failure?: Failure;
  /** The next due time of the target when this rotation ended, with its reason. */
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  /** The target accepted an imported or previous secret before Keyturn changed anything, so nothing was set. */
  readonly alreadySet?: boolean;
  /** Who lifted the freezes for this rotation. */
  readonly lift?: Lift;
  /** Who let this rotation start although the target was paused. */
  readonly force?: Force;
  readonly justification?: Justification;
}

/** One row of the history that this instance cannot read; it can read the others. */
export interface UnreadableRun extends Pick<RunRecord, "rotationId" | "targetId"> {
  readonly state: "unreadable";
  /** A sentence for an operator. */
  readonly why: string;
}

export type HistoryRow = RunRecord | UnreadableRun;
