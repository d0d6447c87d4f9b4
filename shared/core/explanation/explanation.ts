import { type TargetRecord } from "../record/record.ts";
import { newRecord } from "../record/rotation.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import type { Action } from "./action.ts";
import { listActions } from "./actions.ts";
import { listFacts } from "./because.ts";
import { listNext, type NextStep } from "./next.ts";
import { assess } from "./situation.ts";
import { type ExplainedState, findState } from "./state.ts";
import { summarize } from "./summary.ts";

/** Why a target is in its state, what happens next, and what a person can do now. All texts are sentences for a person. */
export interface Explanation {
  readonly target: string;
  readonly state: ExplainedState;
  /** What a person on duty reads first. */
  readonly summary: string;
  /** The facts behind the state, the most important first. */
  readonly because: readonly string[];
  readonly next: readonly NextStep[];
  readonly actions: readonly Action[];
}

/** Explains the state of a target from its record and its configuration alone. */
export function explainState(
  target: Target,
  found: TargetRecord | undefined,
  now: Instant,
): Explanation {
  const situation = assess(target, found ?? newRecord(target.id), now);
  const state = findState(situation);
  const next = listNext(situation);
  return {
    target: target.id,
    state,
    summary: summarize(state, situation),
    because: listFacts(situation),
    next,
    actions: listActions(state, situation, next),
  };
}

/** Explains a target whose journal row cannot be read; `why` says why, and what to do. */
export function explainUnreadableState({ id }: Target, why: string): Explanation {
  return {
    target: id,
    state: "unreadable",
    summary: `This version of Keyturn cannot read the journal row of target ${id}, and does not touch the target.`,
    because: [why],
    next: [
      {
        kind: "person",
        what: "Nothing until the row can be read",
        why: "a version that cannot read the row could overwrite what another version wrote",
      },
    ],
    actions: [
      {
        kind: "fix",
        do: "Deploy the version of Keyturn that wrote the row, or correct the row as the reason says.",
        why,
      },
    ],
  };
}
