import type { TargetRecord } from "../record/rotation.ts";
import type { Instant } from "../time.ts";

/** The record with a log-in with what is published due at that moment. One that was asked for before gives way. */
export const withCheck = (record: TargetRecord, why: string, at: Instant): TargetRecord => ({
  ...record,
  check: { at, why, failures: 0 },
});
