import { expect, test } from "vitest";
import { ChangeRefusedError, TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { fingerprintPolicy } from "../../../../shared/core/policy/policy.ts";
import { computeFingerprint } from "../../../../shared/core/target.ts";
import { day, hour, plus } from "../../../../shared/core/time.ts";
import { nights, seen, withPolicy, work, worldWith, yearEnd } from "../../policy-world.ts";
import { failing, readRecord, request } from "../../steps.ts";
import type { World } from "../../world.ts";

// Rows of the journal record the policy, and why a target is due.
const readRun = async (world: World) => (await world.journal.runs("app", 1))[0];

test("A scheduled rotation records what made it due, under which policy, and what comes next", async () => {
  const world = await worldWith({ ...nights, every: day, spread: hour });
  await work(world);
  const { nextDue = "", dueReason } = await readRecord(world);
  expect(dueReason).toContain("(spread)");
  world.advanceTo(nextDue);
  await work(world);
  const record = await readRecord(world);
  expect(await readRun(world)).toMatchObject({
    state: "done",
    why: dueReason,
    policyFingerprint: fingerprintPolicy(world.target.policy),
    nextDue: record.nextDue,
    dueReason: record.dueReason,
  });
});

test("A requested rotation records who requested it, and what the policy allows", async () => {
  const freeze = [{ ...yearEnd, lift: [] }];
  const world = await worldWith({ freeze });
  await work(world);
  await request(world, { requestedBy: "anna" });
  expect(await readRun(world)).toMatchObject({
    state: "queued",
    why: "Requested by anna (cause: operator); policy test: frozen from 2026-01-01 to 2026-01-06 (year end)",
    policyFingerprint: fingerprintPolicy(world.target.policy),
  });
  world.advanceTo("2026-01-07T00:00:00.000Z");
  await work(world);
  expect(await readRun(world)).toMatchObject({
    state: "done",
    why: "Requested by anna (cause: operator); policy test: no freeze applies",
  });
});

test("A scheduled rotation that a request joins records why it began and who requested it then", async () => {
  const world = await worldWith({ every: day });
  await work(world);
  world.advance(day);
  await work(
    world,
    failing("target.verify", 9, () => new TargetUnavailableError("down")),
  );
  await request(world, { requestedBy: "anna" });
  await work(world);
  expect((await readRun(world))?.why).toBe(
    "policy test: due 1d after 2026-01-01T00:00:00.000Z; then requested by anna (cause: operator)",
  );
});

test("A failed rotation records when the next one comes, and the next one records why it exists", async () => {
  const world = await worldWith({ every: day });
  await work(world);
  const id = await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  const { nextDue = "", dueReason } = await readRecord(world);
  expect(await readRun(world)).toMatchObject({ state: "failed", nextDue, dueReason });
  world.advanceTo(nextDue);
  await work(world);
  const why = `another attempt, because rotation ${id} failed`;
  expect(await readRun(world)).toMatchObject({ state: "done", why });
});

test("A target shows why its policy applies, why others do not, and which due moments were skipped", async () => {
  const world = await worldWith({ ...nights, afterExposure: hour });
  const policiesPassedOver = [{ policy: "default", why: "also matches, priority -1" }];
  const chosen = { ...world, target: { ...world.target, policiesPassedOver } };
  await work(chosen);
  await seen(chosen);
  const record = await readRecord(chosen);
  expect(record).toMatchObject({ policyWhy: "named by the target", policiesPassedOver });
  expect(record.passedOver?.map(({ why }) => why)).toEqual([
    expect.stringContaining("later: due 90d after"),
  ]);
});

test("A row stays small even if the policies contain long texts", async () => {
  const world = await worldWith({});
  const policiesPassedOver = Array.from({ length: 500 }, (_, index) => ({
    policy: `p${index}`,
    why: `its tag ${"t".repeat(4_000)} does not match`,
  }));
  const policyWhy = `matches ${"target or ".repeat(10_000)}`;
  await work({ ...world, target: { ...world.target, policiesPassedOver, policyWhy } });
  const record = await readRecord(world);
  expect(record.policiesPassedOver).toHaveLength(10);
  expect(record.policyWhy).toHaveLength(1_000);
});

test("A target that is not adopted yet also records the fingerprint of its policy", async () => {
  const world = await worldWith({});
  await request(world);
  expect((await readRecord(world)).policyFingerprint).toBe(computeFingerprint(world.target));
  await work(
    world,
    failing("vault.read", 9, () => new Error("down")),
  );
  expect((await readRun(world))?.state).toBe("failed");
  const refused = await readRecord(world);
  expect(refused.adoptedAt).toBeUndefined();
  expect(await readRun(world)).toMatchObject({
    why: "Requested by test (cause: operator); policy test: no freeze applies",
    nextDue: refused.nextDue,
    dueReason: "next try to adopt the target",
  });
});

test("Before the adoption, an edit of the policy updates the fingerprint and no due moment", async () => {
  const world = await worldWith({});
  const down = failing("vault.read", 9, () => new Error("down"));
  await work(world, down);
  const { nextDue } = await readRecord(world);
  const edited = withPolicy(world, { every: day });
  await work(edited, down);
  expect(await readRecord(edited)).toMatchObject({
    policyFingerprint: computeFingerprint(edited.target),
    nextDue,
  });
});

test("Before the adoption, an edit of the target causes a try at once", async () => {
  const world = await worldWith({});
  const publish = { ...world.target.publish, name: "app-wrong" };
  const wrong = {
    ...world,
    target: { ...world.target, authority: { as: "self" }, publish },
  } as const;
  await work(wrong);
  expect((await readRecord(wrong)).health).toBe("blocked");
  await work(world);
  expect(await readRecord(world)).toMatchObject({
    health: "healthy",
    nextDue: plus(world.now(), 90 * day),
  });
});

test("An edit of the policy during a rotation updates the target's fingerprint once the rotation has ended", async () => {
  const world = await worldWith({});
  await work(world);
  const id = await request(world);
  await work(
    world,
    failing("consumer.refresh", 1, () => new Error("down")),
  );
  expect((await readRecord(world)).rotation).toBeDefined();
  const edited = withPolicy(world, { every: day });
  world.advance(hour);
  await work(edited);
  expect(await readRecord(edited)).toMatchObject({
    policyFingerprint: computeFingerprint(edited.target),
    nextDue: plus(world.now(), day),
  });
  expect(await world.journal.run("app", id)).toMatchObject({
    state: "done",
    policyFingerprint: fingerprintPolicy(world.target.policy),
    nextDue: plus(world.now(), day),
  });
});
