import { OutcomeUnknownError, TargetUnavailableError } from "../../core/errors.ts";
import type { Rotation, WorkingPhase } from "../../core/record/record.ts";
import type { TargetSession } from "../session.ts";

/** The phase of a rotation after a step, and what the step found out. */
export interface Advance {
  readonly to: WorkingPhase | "done";
  readonly learnt?: Partial<Rotation>;
}

export type Step = (session: TargetSession, rotation: Rotation) => Promise<Advance>;

/** The target refuses a secret that it may have accepted a moment ago. This does not count as a failed attempt. */
export class NotYetPropagatedError extends TargetUnavailableError {}

/** A person paused the target before the rotation changed it. This is not a failure: the rotation waits for the end of the pause. */
export class PausedError extends Error {
  override readonly name = "PausedError";
}

/**
 * A check disproved the result of an earlier phase, so the rotation goes back to the phase that can repeat it. The kind is
 * `outcome-unknown`: if a change began, Keyturn does not know until then whether the account has the pending secret, and must keep that
 * secret as a candidate (`outcomeInDoubt`).
 */
export class GoBackError extends OutcomeUnknownError {
  readonly backTo: "staging" | "applying" | "publishing";

  constructor(backTo: "staging" | "applying" | "publishing", message: string) {
    super(message);
    this.backTo = backTo;
  }
}

/** The pending version can no longer be read: somebody deleted or disabled it. */
export function lostPending({ pending }: Rotation): GoBackError {
  return new GoBackError(
    "staging",
    `Keyturn can no longer read the pending version ${pending?.version ?? ""}; the rotation starts again with a new version`,
  );
}
