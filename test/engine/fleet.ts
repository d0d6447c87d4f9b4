import { type Override, toEffectivePolicy } from "../../shared/core/policy/choose.ts";
import type { Policy } from "../../shared/core/policy/policy.ts";
import { withDue } from "../../shared/core/record/due.ts";
import { type TargetRecord } from "../../shared/core/record/record.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import type { Target } from "../../shared/core/target.ts";
import { day, type Instant } from "../../shared/core/time.ts";
import { reschedule } from "../../shared/engine/work/reschedule.ts";
import type { Journal } from "../../shared/stores/journal.ts";
import { target as orders } from "../core/orders.ts";

const { password, retry } = orders.policy;
const shape = { password, retry };

/** Thirty targets by their number: every third is gold, every third silver, the others match nothing. */
const tiers = ["gold", "silver", "plain"] as const;

export const policies: readonly Policy[] = [
  { ...shape, name: "gold", every: 30 * day, priority: 5, match: { tags: { tier: "gold" } } },
  { ...shape, name: "silver", every: 60 * day, match: { tags: { tier: "silver" } } },
  { ...shape, name: "default", every: 90 * day },
];

/** Two of the gold targets override how old a secret may get. */
const overrides: Readonly<Record<string, Override>> = {
  t00: { fields: { every: 7 * day }, reason: "audit" },
  t03: { fields: { every: 7 * day }, reason: "audit" },
  t06: { fields: { spread: 60_000 }, reason: "many at once" },
};

export function makeFleet(all: readonly Policy[]): Target[] {
  return Array.from({ length: 30 }, (_, index) => {
    const id = `t${String(index).padStart(2, "0")}`;
    const tags = { tier: tiers[index % 3] ?? "plain" };
    const override = overrides[id];
    const named = index === 29 ? { policy: "silver" } : {};
    const subject = { targetId: id, type: "memory", vault: "main", tags, ...named };
    const choice = toEffectivePolicy({ ...subject, ...(override && { override }) }, all);
    if ("problem" in choice) throw new Error(choice.problem);
    const { policy, why: policyWhy, passedOver: policiesPassedOver } = choice;
    return { ...orders, id, tags, policy, policyWhy, policiesPassedOver };
  });
}

/** Registers each target as if it had been adopted now. */
export async function adoptAll(
  journal: Journal,
  targets: readonly Target[],
  now: Instant,
): Promise<void> {
  for (const target of targets) {
    const fresh = reschedule(newRecord(target.id), target, now);
    const adopted: TargetRecord = {
      ...fresh,
      health: "healthy",
      adoptedAt: now,
      active: "orders_a",
      published: { vault: "main", name: "orders-db", version: "1" },
    };
    const record = withDue(adopted, target, now);
    await journal.commit({ record, etag: undefined, wakeAt: record.nextDue });
  }
}

/** Returns the etag of each target's row. */
export async function readEtags(
  journal: Journal,
  targets: readonly Target[],
): Promise<Map<string, string | undefined>> {
  const found = targets.map(async ({ id }) => [id, (await journal.read(id))?.etag] as const);
  return new Map(await Promise.all(found));
}
