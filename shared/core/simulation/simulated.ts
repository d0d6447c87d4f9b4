import { factsOf } from "../due.ts";
import type { TargetRecord } from "../rotation.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import type { SimulatedTarget } from "./plan.ts";

/** A target as it stands in the journal; one that is not adopted yet as if it were adopted now. */
export function simulated(
  target: Target,
  record: TargetRecord | undefined,
  server: string,
  now: Instant,
): SimulatedTarget {
  const facts = record?.adoptedAt === undefined ? { adoptedAt: now } : factsOf(record);
  const { id, policy, publish } = target;
  return { id, policy, facts, vault: publish.vault, server };
}
