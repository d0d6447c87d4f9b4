import { acceptExposure } from "../../core/lifecycle/exposure.ts";
import type { ExposureOutcome } from "../../core/lifecycle/exposure-outcome.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Exposure } from "../../core/record/record.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import { report } from "./report.ts";

/** A report that somebody saw the secret of a target. */
export type ExposureInput = Omit<Exposure, "at"> & {
  readonly at?: Instant;
  /** Who reports it. Default: who saw it. */
  readonly origin?: Origin;
};

/** Starts the exposure clock of a target. Durable when it returns. */
export async function expose(
  ports: Parameters<typeof report>[0],
  target: Target,
  { origin, ...seen }: ExposureInput,
): Promise<ExposureOutcome> {
  const { record: _, ...outcome } = await report(
    ports,
    target,
    (before, now) => acceptExposure(before, target, { ...seen, at: seen.at ?? now }, now),
    ({ rotationId }) => ({
      ...(origin ?? { by: seen.by }),
      ...{ action: "exposure.report", cause: seen.kind },
      ...(rotationId !== undefined && { rotations: [rotationId] }),
      detail: describeExposure(seen),
    }),
  );
  return outcome;
}

function describeExposure({ by, from }: ExposureInput): string {
  return `seen by ${by}${from === undefined ? "" : ` in ${from}`}`;
}
