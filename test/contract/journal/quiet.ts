import { type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import type { Instant } from "../../../shared/core/time.ts";

/** A healthy target on which nothing but a heartbeat is due at this moment. */
export function quiet(targetId: string, at: Instant): TargetRecord {
  return {
    ...newRecord(targetId),
    health: "healthy",
    adoptedAt: at,
    published: { vault: "main", name: targetId, version: "1" },
    heartbeat: { at, failures: 0 },
  };
}
