import type { Instant } from "../time.ts";
import type { TargetRecord } from "./record.ts";

/** The record with a check of the published secret, a log-in, due at that time. It replaces an earlier request for a check. */
export const withCheck = (record: TargetRecord, why: string, at: Instant): TargetRecord => ({
  ...record,
  check: { at, why, failures: 0 },
});
