import { expect, test } from "vitest";
import type { BreachTargetView } from "../../../shared/core/breach/views.ts";
import { minute, second } from "../../../shared/core/time.ts";
import { generator } from "../random.ts";
import type { Gate } from "../world.ts";
import { type BreachWorld, makeBreachWorld, startBreach } from "./breach-world.ts";

/** One in twenty targets cannot be rotated: its server is down, or nobody may change it. */
const faulty = 50;
const count = 1_000;

const kinds = ["single", "pair", "pair-self"] as const;

async function makeFleet(seed: number): Promise<BreachWorld> {
  const random = generator(seed);
  const faults = new Set<number>();
  while (faults.size < faulty) faults.add(Math.floor(random() * count));
  const members = Array.from({ length: count }, (_, index) => ({
    id: `t-${String(index).padStart(4, "0")}`,
    kind: kinds[Math.floor(random() * kinds.length)] ?? "single",
    host: faults.has(index) && random() < 0.5 ? "dead" : `db-${Math.floor(random() * 8)}`,
  }));
  const world = await makeBreachWorld(members);
  world.dead.add("dead");
  for (const index of faults) {
    const target = world.targets[index];
    if (target && members[index]?.host !== "dead") {
      for (const { account } of target.slots) world.refused.add(account);
    }
  }
  return world;
}

/** Kills the process at the given number of calls: from then on no call of it returns. */
function killAfter(calls: number): { readonly gate: Gate; readonly killed: Promise<unknown> } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let left = calls;
  const never = new Promise<never>(() => undefined);
  return {
    killed: promise,
    gate: async (_effect, call) => {
      if (left-- > 0) return call();
      resolve(undefined);
      return never;
    },
  };
}

/** Compares a line of the report with the accounts and with what consumers read. */
function check(world: BreachWorld, item: BreachTargetView): string | undefined {
  const target = world.find(item.target);
  const accounts = target.slots.map(({ account }) => account);
  const old = accounts.filter(world.hasOldPassword);
  const isFaulty =
    item.server.startsWith("dead") || accounts.some((account) => world.refused.has(account));
  if (!world.publishedWorks(target)) return `${item.target}: the published password is refused`;
  if (isFaulty) return checkFaulty(item, old.length === accounts.length);
  if (item.state !== "rotated") return `${item.target}: ${item.state} (${item.outcome ?? ""})`;
  const kept = item.oldPasswordWorks === true ? 1 : 0;
  if (old.length !== kept) return `${item.target}: ${old.join(", ")} not changed`;
  const newest = world.vault.versions(target.publish.name).at(-1);
  if (newest?.ref.version !== item.version?.version) return `${item.target}: another version`;
  return undefined;
}

function checkFaulty(
  { target, state }: BreachTargetView,
  isUnchanged: boolean,
): string | undefined {
  if (state === "rotated") return `${target}: reported as rotated`;
  return isUnchanged ? undefined : `${target}: changed`;
}

test.each([1, 2])(
  "A breach of 1,000 targets with 5 percent faults, killed twice, ends with a report that is true (seed %i)",
  async (seed) => {
    const world = await makeFleet(seed);
    const id = await startBreach(world.instance(), { type: "memory" });
    for (const calls of [3_000, 9_000]) {
      const { gate, killed } = killAfter(calls);
      // The dead process still holds the claim of a target, and a turn of the breach.
      await Promise.race([world.pass(20 * minute, world.instance(gate)), killed]);
      world.stop();
      expect(await world.instance().breach(id)).toMatchObject({ state: "running" });
    }
    await world.pass(25 * minute, world.instance());
    const breach = await world.instance().breach(id);
    expect(breach).toMatchObject({ state: "ended", counts: { rotated: count - faulty } });
    const report = (await world.instance().breachTargets(id, { limit: 10_000 }))?.items ?? [];
    expect(report.map(({ place }) => place)).toEqual(report.map((_, index) => index + 1));
    expect(report).toHaveLength(count);
    expect(report.flatMap((item) => check(world, item) ?? [])).toEqual([]);
    expect(world.events.filter(({ type }) => type === "bug")).toEqual([]);
  },
  60 * second,
);
