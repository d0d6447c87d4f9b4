import { OutcomeUnknownError, TargetUnavailableError } from "../../core/errors.ts";
import type { Rotation, WorkingPhase } from "../../core/record/rotation.ts";
import type { TargetSession } from "../session.ts";

/** The phase of a rotation after a step, and what the step found out. */
export interface Advance {
  readonly to: WorkingPhase | "done";
  readonly learnt?: Partial<Rotation>;
}

export type Step = (session: TargetSession, rotation: Rotation) => Promise<Advance>;

/** The target does not accept the secret that it took yet. This does not count as a failed try. */
export class NotYetPropagatedError extends TargetUnavailableError {}

/** The result of an earlier phase is no longer valid: the rotation goes back to the phase that can fix it. */
export class GoBackError extends OutcomeUnknownError {
  readonly backTo: "staging" | "applying" | "publishing";

  constructor(backTo: "staging" | "applying" | "publishing", message: string) {
    super(message);
    this.backTo = backTo;
  }
}
