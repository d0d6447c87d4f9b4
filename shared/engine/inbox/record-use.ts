import { type AcceptedUse, acceptUse, type Use } from "../../core/lifecycle/use.ts";
import type { Origin } from "../../core/record/justification.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import { type ReportEntry, reportOnce } from "./report.ts";
import type { RequestKey } from "./request-key.ts";

/** A report that the secret of a target was used. Without `at`, it was used now. */
export type UseInput = Omit<Use, "at"> & {
  readonly at?: Instant;
  /** Who reports it. Default: who used it. */
  readonly origin?: Origin;
};

/** The result of a report of a use. */
export interface UseResult {
  /** Whether the use postpones a rotation, or starts the clock of one. */
  readonly counted: boolean;
  readonly why: string;
  readonly lastUsedAt?: Instant;
  readonly nextDue?: Instant;
}

/** Records that the secret of a target was used. Durable when it returns. */
export async function recordUse(
  ports: Parameters<typeof reportOnce>[0],
  target: Target,
  { origin, ...used }: UseInput,
  key?: RequestKey,
): Promise<UseResult> {
  const entry: ReportEntry = {
    ...(origin ?? { by: used.by ?? "not named" }),
    action: "use.report",
    ...(used.by !== undefined && { detail: `used by ${used.by}` }),
  };
  const { answer } = await reportOnce(ports, target, key, (before, now) => {
    const accepted = acceptUse(before, target, { ...used, at: used.at ?? now }, now);
    return { record: accepted.record, answer: toResult(accepted), entry };
  });
  return answer;
}

function toResult({ counted, why, record }: AcceptedUse): UseResult {
  const { lastUsedAt, rotation } = record;
  // While a rotation is open, the earlier due moment does not count; the end of the rotation sets a new one.
  const nextDue = rotation ? undefined : record.nextDue;
  return {
    counted,
    why,
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(nextDue !== undefined && { nextDue }),
  };
}
