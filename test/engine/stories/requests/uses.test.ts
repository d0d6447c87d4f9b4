import { expect, test } from "vitest";
import { ChangeRefusedError } from "../../../../shared/core/errors.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { recordUse, type UseInput } from "../../../../shared/engine/inbox/record-use.ts";
import { seen, withPolicy, work, worldWith } from "../../policy-world.ts";
import { failing, readRecord, request } from "../../steps.ts";
import { open, type World } from "../../world.ts";

const start = "2026-01-01T00:00:00.000Z";
const used = (world: World, use: UseInput = {}) => recordUse(world.ports(open), world.target, use);
const readEtag = async (world: World) => (await world.journal.read("app"))?.etag;

test("A target that is no longer used is rotated, and again if it stays unused", async () => {
  const world = await worldWith({ every: 900 * day, afterIdle: 30 * day });
  await work(world);
  expect((await readRecord(world)).nextDue).toBe(plus(start, 900 * day));
  world.advance(day);
  expect(await used(world, { by: "the orders service" })).toEqual({
    counted: true,
    why: "the secret was used at 2026-01-02T00:00:00.000Z",
    lastUsedAt: plus(start, day),
    nextDue: plus(start, 31 * day),
  });
  expect(await readRecord(world)).toMatchObject({
    lastUsedBy: "the orders service",
    dueReason: "policy test: due after 30d without use since 2026-01-02T00:00:00.000Z",
  });
  world.advance(30 * day);
  await work(world);
  expect(world.applied.size).toBe(1);
  expect((await readRecord(world)).nextDue).toBe(plus(world.now(), 30 * day));
});

test("Without any reported use, idleness makes nothing due, even if the policy has no other rule", async () => {
  const world = await worldWith({ afterIdle: 30 * day });
  const { every: _, ...policy } = world.target.policy;
  const idle = { ...world, target: { ...world.target, policy } };
  await work(idle);
  const { nextDue, dueReason } = await readRecord(idle);
  expect([nextDue, dueReason]).toEqual([undefined, expect.stringContaining("no schedule is set")]);
  expect((await used(idle)).nextDue).toBe(plus(start, 30 * day));
});

test("A use postpones a rotation that only idleness made due", async () => {
  const world = await worldWith({ every: 900 * day, afterIdle: 30 * day });
  await work(world);
  await used(world);
  world.advance(29 * day);
  await used(world);
  world.advance(2 * day);
  await work(world);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).nextDue).toBe(plus(start, 59 * day));
});

test("Uses cause at most one journal write an hour, and an older use causes none", async () => {
  const world = await worldWith({ afterIdle: 30 * day });
  await work(world);
  await used(world, { by: "first" });
  const etag = await readEtag(world);
  for (let minutes = 1; minutes < 60; minutes++) {
    world.advance(minute);
    expect((await used(world, { by: "later" })).counted).toBe(false);
  }
  expect(await used(world, { at: plus(start, -day) })).toMatchObject({
    counted: false,
    why: "a later use is already recorded, at 2026-01-01T00:00:00.000Z",
    lastUsedAt: start,
  });
  expect(await readEtag(world)).toBe(etag);
  world.advance(minute);
  expect((await used(world)).counted).toBe(true);
  const record = await readRecord(world);
  expect(record.lastUsedAt).toBe(plus(start, hour));
  expect(record).not.toHaveProperty("lastUsedBy");
});

test("A use with a time in the future counts as a use now", async () => {
  const world = await worldWith({});
  await work(world);
  expect((await used(world, { at: plus(start, 5 * minute) })).lastUsedAt).toBe(start);
});

test("A use is recorded before the target is adopted, and where the policy does not need it", async () => {
  const world = await worldWith({});
  await used(world);
  await work(world);
  const record = await readRecord(world);
  expect(record).toMatchObject({ health: "healthy", lastUsedAt: start });
  expect(record.nextDue).toBe(plus(start, 90 * day));
});

test.each(["target.apply", "vault.write", "journal.commit", "consumer.refresh"])(
  "A use reported during %s is merged by the worker, and breaks nothing",
  async (when) => {
    const world = await worldWith({ afterIdle: 10 * day });
    await work(world);
    await used(world);
    world.advance(day);
    const id = await request(world);
    let told = false;
    await work(world, async (effect, call) => {
      const isHeld = async () => (await readRecord(world)).claim.owner !== undefined;
      if (effect === when && !told && (await isHeld())) {
        told = true;
        await used(world, { by: "eva" });
        await seen(world);
      }
      return call();
    });
    const record = await readRecord(world);
    expect(await world.journal.run("app", id)).toMatchObject({ state: "done" });
    expect(world.publishedWorks()).toBe(true);
    expect(world.events.some(({ type }) => type === "lease-lost")).toBe(false);
    expect(record).toMatchObject({ lastUsedAt: world.now(), lastUsedBy: "eva" });
    expect(record.nextDue).toBe(plus(world.now(), 10 * day));
  },
);

test("A use does not postpone the next try after a failure", async () => {
  const world = await worldWith({ afterIdle: 10 * day });
  await work(world);
  await request(world);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  const { nextDue, dueReason } = await readRecord(world);
  await used(world);
  expect(await readRecord(world)).toMatchObject({ lastUsedAt: start, nextDue, dueReason });
});

test("A report to a process with another configuration leaves a fingerprint, by which the target is rescheduled", async () => {
  const world = await worldWith({ afterIdle: 10 * day });
  await work(world);
  const old = withPolicy(world, { afterIdle: 20 * day });
  await used(old);
  expect((await readRecord(world)).nextDue).toBe(plus(start, 20 * day));
  await work(world);
  expect((await readRecord(world)).nextDue).toBe(plus(start, 10 * day));
});

test.each<[string, Partial<Policy>, string]>([
  [
    "has no afterIdle",
    {},
    "policy test has no afterIdle, so uses neither start nor postpone a rotation",
  ],
  ["is manualOnly", { manualOnly: true, afterIdle: day }, "policy test is manualOnly"],
])(
  "A use under a policy that %s is recorded, does not count, and the answer says why",
  async (_how, fields, why) => {
    const world = await worldWith(fields);
    await work(world);
    const answer = await used(world);
    expect(answer).toMatchObject({ counted: false, lastUsedAt: start });
    expect(answer.why).toContain(why);
    expect((await readRecord(world)).lastUsedAt).toBe(start);
  },
);
