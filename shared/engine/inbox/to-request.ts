import { type Justification, storeJustification } from "../../core/record/justification.ts";
import type { RotationRequest, TargetRecord } from "../../core/record/record.ts";

interface Wanted {
  readonly requestedBy: string;
  readonly justification?: Justification;
  readonly liftFreeze?: string;
  readonly force?: string;
}

/** The request of a person or program as the journal stores it. */
export function toRequest(
  { requestedBy, justification = {}, liftFreeze, force }: Wanted,
  { at, ...made }: Pick<RotationRequest, "rotationId" | "reason" | "at">,
  { pause }: TargetRecord,
): RotationRequest {
  // The force counts for the present pause, even if the clock has gone backwards since.
  const forcedAt = pause !== undefined && pause.at > at ? pause.at : at;
  return {
    ...{ ...made, requestedBy, at },
    ...storeJustification(justification),
    ...(liftFreeze !== undefined && { lift: { why: liftFreeze, by: requestedBy, at } }),
    ...(force !== undefined && { force: { why: force, by: requestedBy, at: forcedAt } }),
  };
}
