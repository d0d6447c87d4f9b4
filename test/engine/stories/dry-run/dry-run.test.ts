import { expect, test } from "vitest";
import type { DryRunCheck } from "../../../../shared/core/dry-run.ts";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { maxGuesses } from "../../../../shared/core/looks/guesses.ts";
import { dryRun } from "../../../../shared/engine/dry-run/dry-run.ts";
import {
  adopted,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "../../steps.ts";
import {
  type Gate,
  kinds,
  makeWorld,
  open,
  overlapAdmin,
  overlapSelf,
  pairAdmin,
  pairSelf,
  singleAdmin,
  singleSelf,
  type World,
} from "../../world.ts";

async function check(world: World, gate: Gate = open) {
  const { outcome } = await dryRun(world.ports(gate), world.target);
  if ("conflict" in outcome) throw new Error(outcome.conflict.why);
  return outcome.done;
}

/** The checks with this result, with what they say. */
const having = (checks: readonly DryRunCheck[], result: DryRunCheck["result"]) =>
  checks.filter((one) => one.result === result).map((one) => one.check);

/** Makes every call of this name fail. */
const without =
  (name: string, error: Error): Gate =>
  (effect, call) =>
    effect === name ? Promise.reject(error) : call();

const allowed = ["journal.read", "journal.commit", "vault.read", "target.verify", "target.examine"];

for (const kind of kinds) {
  test(`A dry run of a healthy target is ready and changes nothing: ${kind.name}`, async () => {
    const world = await adopted(kind);
    const before = await readRecord(world);
    const told = world.notifier.sent.length;
    const effects: string[] = [];
    const done = await check(world, (effect, call) => {
      effects.push(effect);
      return call();
    });
    expect([done.ready, having(done.checks, "failed")]).toEqual([true, []]);
    expect(effects.filter((effect) => !allowed.includes(effect))).toEqual([]);
    expect(effects.filter((effect) => effect === "journal.commit")).toHaveLength(2);
    const { claim, ...after } = await readRecord(world);
    expect({ ...after, claim: before.claim }).toEqual(before);
    expect(claim).toEqual({ fence: before.claim.fence + 1 });
    expect([world.applied.size, world.notifier.sent.length]).toEqual([0, told]);
    await rotate(world);
    expect(world.publishedWorks()).toBe(true);
  });
}

test("A dry run works before the target is adopted, and the adoption follows", async () => {
  const world = await makeWorld(pairAdmin);
  expect((await check(world)).ready).toBe(true);
  await work(world);
  expect((await readRecord(world)).health).toBe("healthy");
});

interface Problem {
  readonly name: string;
  readonly spoil: (world: World) => unknown;
  readonly gate?: Gate;
  readonly failed: readonly string[];
  readonly warning?: readonly string[];
  readonly says: string;
}

const problems: readonly Problem[] = [
  {
    name: "the admin may not change the account",
    spoil: (world) => world.system.admins.delete("admin"),
    failed: ["privilege"],
    says: "admin may not change app",
  },
  {
    name: "the admin has another password",
    spoil: (world) => {
      setPassword(world, "admin", "another-secret-of-admin");
    },
    failed: ["admin-log-in"],
    says: "app-admin",
  },
  {
    name: "the admin secret is missing",
    spoil: (world) => {
      world.vault.remove("app-admin");
    },
    failed: ["admin-secret"],
    says: "app-admin",
  },
  {
    name: "the account is locked",
    spoil: (world) => world.system.obstacles.set("app", "account app is locked. Unlock it."),
    failed: ["obstacles"],
    warning: ["published-log-in"],
    says: "account app is locked",
  },
  {
    name: "the published secret is refused",
    spoil: (world) => writeByHand(world, "app", "a-wrong-password-by-hand"),
    failed: [],
    warning: ["published-log-in"],
    says: "refuses the published secret app-db",
  },
  {
    name: "the published secret is deleted",
    spoil: (world) => {
      world.vault.remove("app-db");
    },
    failed: ["vault-write"],
    says: "Recover or purge it",
  },
  {
    name: "the vault is down",
    spoil: () => undefined,
    gate: without("vault.read", new VaultUnavailableError("the vault did not answer")),
    failed: ["vault-read", "account-log-in", "admin-secret"],
    says: "the vault did not answer",
  },
  {
    name: "the database is down",
    spoil: () => undefined,
    gate: (effect, call) =>
      effect.startsWith("target.")
        ? Promise.reject(new TargetUnavailableError("the server did not answer"))
        : call(),
    failed: ["published-log-in", "admin-log-in"],
    says: "the server did not answer",
  },
];

test.each(problems)(
  "A dry run finds one problem and makes the other checks: $name",
  async ({ spoil, gate = open, failed, warning = [], says }) => {
    const world = await adopted(singleAdmin);
    await spoil(world);
    const { ready, checks } = await check(world, gate);
    expect(having(checks, "failed")).toEqual(failed);
    expect(having(checks, "warning")).toEqual(warning);
    expect(ready).toBe(failed.length === 0);
    expect(checks.map(({ sentence }) => sentence).join("\n")).toContain(says);
    expect(checks.length).toBeGreaterThan(5);
    expect(world.applied.size).toBe(0);
    expect((await readRecord(world)).claim.owner).toBeUndefined();
  },
);

test("A dry run reports several problems at once", async () => {
  const world = await adopted(singleAdmin);
  world.system.admins.delete("admin");
  world.system.obstacles.set("app", "account app is locked. Unlock it.");
  const { checks } = await check(world);
  expect(having(checks, "failed")).toEqual(["obstacles", "privilege"]);
});

test("Parallel and repeated dry runs spend no more guesses than one account has", async () => {
  const world = await adopted(singleSelf);
  setPassword(world, "app", "changed-by-hand");
  const before = world.system.logIns;
  for (let round = 0; round < 5; round++) {
    await Promise.allSettled(Array.from({ length: 5 }, () => check(world)));
  }
  expect(world.system.logIns - before).toBeGreaterThan(0);
  expect(world.system.logIns - before).toBeLessThanOrEqual(maxGuesses);
  expect((await readRecord(world)).refusals?.length).toBeGreaterThan(0);
});

test("No dry run is made while a worker works, or while the password may have been changed", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const outcomes: object[] = [];
  const busy: Gate = async (effect, call) => {
    if (effect === "target.examine")
      outcomes.push((await dryRun(world.ports(open), world.target)).outcome);
    return call();
  };
  const cut = without("vault.write", new VaultUnavailableError("the vault did not answer"));
  let writes = 0;
  await work(world, (effect, call) => {
    // The first write stores the pending version.
    if (effect === "vault.write" && ++writes > 1) return cut(effect, call);
    return busy(effect, call);
  });
  expect(outcomes).toEqual([
    {
      conflict: {
        retryAfter: 5_000,
        why: expect.stringContaining("A worker is working") as string,
      },
    },
  ]);
  expect((await readRecord(world)).rotation?.changeBegan).toBe(true);
  const { outcome: later } = await dryRun(world.ports(open), world.target);
  expect(later).toMatchObject({
    conflict: { why: expect.stringContaining("may have changed the password") as string },
  });
});

test("A dry run says whether a rotation would start now", async () => {
  const world = await adopted(singleAdmin);
  const target = {
    ...world.target,
    policy: {
      ...world.target.policy,
      freeze: [{ from: "2025-12-20", to: "2026-01-06", reason: "sale", lift: [] }],
    },
  };
  const { outcome } = await dryRun(world.ports(open), target);
  const [start] = "done" in outcome ? outcome.done.checks : [];
  expect(start).toMatchObject({ check: "start", result: "warning" });
  expect(start?.sentence).toContain("frozen");
});

test.each([pairAdmin, pairSelf])(
  "A dry run names the fields of a policy whose passwords the target may refuse, and what else it should know: $name",
  async (kind) => {
    const world = await adopted(kind);
    world.system.shown = {
      rules: { source: "the policy of the server", minLength: 60, atLeast: { symbols: 3 } },
      warnings: ["Account `app_b` differs from `app_a`."],
    };
    const { ready, checks } = await check(world);
    expect(ready).toBe(false);
    expect(having(checks, "failed")).toEqual(["password-rules"]);
    const rules = checks.find((one) => one.check === "password-rules");
    expect(rules?.sentence).toContain(
      "The policy of the server may refuse the passwords of policy",
    );
    expect(rules?.action).toContain("`length` must be at least 60");
    expect(rules?.action).toContain("`atLeast.symbols` must be at least 3");
    const warning = checks.find((one) => one.check === "warnings");
    expect(warning).toMatchObject({
      result: "warning",
      sentence: "Account `app_b` differs from `app_a`.",
    });
  },
);

test.each([singleAdmin, singleSelf])(
  "A dry run is ready where every password of the policy satisfies the rules of the target: $name",
  async (kind) => {
    const world = await adopted(kind);
    world.system.shown = { rules: { source: "the policy of the server", minLength: 12 } };
    const { ready, checks } = await check(world);
    expect(ready).toBe(true);
    expect(having(checks, "ok")).toContain("password-rules");
  },
);

const gap = "The server keeps one password for `app`.";

test.each([overlapAdmin, overlapSelf])(
  "A gap that the engine does not expect is a warning: $name",
  async (kind) => {
    const world = await adopted(kind);
    world.system.shown = { gap };
    const { ready, checks } = await check(world);
    expect(ready).toBe(true);
    expect(checks).toContainEqual(
      expect.objectContaining({ check: "warnings", result: "warning", sentence: gap }),
    );
  },
);

test.each([pairAdmin, pairSelf])(
  "A pair has no gap, whatever its system keeps: $name",
  async (kind) => {
    const world = await adopted(kind);
    world.system.shown = { gap };
    expect(having((await check(world)).checks, "warning")).toEqual([]);
  },
);
