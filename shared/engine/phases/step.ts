import { OutcomeUnknownError, TargetUnavailableError } from "../../core/errors.ts";
import type { Rotation, WorkingPhase } from "../../core/record/rotation.ts";
import type { Session } from "../session.ts";

/** Where a rotation goes after a step, and what the step found out. */
export interface Advance {
  readonly to: WorkingPhase | "done";
  readonly learnt?: Partial<Rotation>;
}

export type Step = (session: Session, rotation: Rotation) => Promise<Advance>;

/** The target needs a while before it accepts a secret that it took. Not held against the rotation. */
export class NotYetPropagatedError extends TargetUnavailableError {}

/** What was done before does not hold any more: the rotation goes back to the phase that can mend it. */
export class GoBackError extends OutcomeUnknownError {
  readonly backTo: "staging" | "applying" | "publishing";

  constructor(backTo: "staging" | "applying" | "publishing", message: string) {
    super(message);
    this.backTo = backTo;
  }
}
