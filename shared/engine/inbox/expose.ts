import { acceptExposure } from "../../core/lifecycle/exposure.ts";
import type { ExposureOutcome } from "../../core/lifecycle/exposure-outcome.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Exposure } from "../../core/record/record.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import { type ReportEntry, reportOnce } from "./report.ts";
import type { RequestKey } from "./request-key.ts";

/** A report that somebody saw the secret of a target. */
export type ExposureInput = Omit<Exposure, "at"> & {
  readonly at?: Instant;
  /** Who reports it. Default: who saw it. */
  readonly origin?: Origin;
};

/** Starts the exposure clock of a target. Durable when it returns. */
export async function expose(
  ports: Parameters<typeof reportOnce>[0],
  target: Target,
  { origin, ...seen }: ExposureInput,
  key?: RequestKey,
): Promise<ExposureOutcome> {
  const { answer } = await reportOnce<ExposureOutcome>(ports, target, key, (before, now) => {
    const at = seen.at ?? now;
    const { record, ...answer } = acceptExposure(before, target, { ...seen, at }, now);
    const { rotationId } = answer;
    const entry: ReportEntry = {
      ...(origin ?? { by: seen.by }),
      ...{ action: "exposure.report", cause: seen.kind },
      ...(rotationId !== undefined && { rotations: [rotationId] }),
      detail: describeExposure(seen),
    };
    return { record, answer, entry };
  });
  return answer;
}

function describeExposure({ by, from }: ExposureInput): string {
  return `seen by ${by}${from === undefined ? "" : ` in ${from}`}`;
}
