import { expect, test } from "vitest";
import {
  ChangeRefusedError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../../../shared/core/errors.ts";
import type { TargetRecord } from "../../../../shared/core/record/record.ts";
import { hour } from "../../../../shared/core/time.ts";
import type { Requested } from "../../../../shared/engine/inbox/request-rotation.ts";
import { makeQuestions } from "../../../../shared/engine/queries/questions.ts";
import { work, worldWith, yearEnd } from "../../policy-world.ts";
import { ask, failing, keyed, readRecord } from "../../steps.ts";
import { open, pairAdmin, type World } from "../../world.ts";

const freeze = [{ ...yearEnd, lift: [] }];
const until = "2026-01-07T00:00:00.000Z";
const why = "policy test: frozen from 2026-01-01 to 2026-01-06 (year end)";
const frozen = async () => {
  const world = await worldWith({ freeze, verifyEvery: "none" });
  await work(world);
  return world;
};
const asking = (world: World) =>
  makeQuestions(world.ports(open), new Map([[world.target.id, world.target]]));

test("The answer to a request in a freeze says until when it waits and why, and so do the views", async () => {
  const world = await frozen();
  const { rotationId, ...answer } = await ask(world, { requestedBy: "anna" });
  expect(answer).toEqual({
    joined: false,
    why: `Requested by anna (cause: operator); ${why}`,
    wakeAt: until,
    waiting: { until, why },
  });
  const queued = { queuedUntil: until, queuedWhy: why };
  expect(await asking(world).rotation("app", rotationId)).toMatchObject({
    state: "queued",
    ...queued,
  });
  expect(await asking(world).target("app")).toMatchObject({
    queuedRotation: rotationId,
    ...queued,
  });
  expect((await asking(world).targets())?.items[0]).toMatchObject(queued);
  expect((await asking(world).rotations("app", { limit: 5 }))?.items[0]).toMatchObject(queued);
});

test("A request that lifts the freeze starts during it, and the history says who lifted it and why", async () => {
  const world = await frozen();
  const { rotationId, waiting } = await ask(world, {
    requestedBy: "anna",
    liftFreeze: "ticket 42",
  });
  expect(waiting).toBeUndefined();
  await work(world);
  expect(world.applied.size).toBe(1);
  expect(await world.journal.run("app", rotationId)).toMatchObject({
    state: "done",
    why: "Requested by anna (cause: operator); freezes lifted by anna: ticket 42",
    lift: { why: "ticket 42", by: "anna", at: "2026-01-01T00:00:00.000Z" },
  });
});

test("A request that lifts the freeze releases the request that waits for its end", async () => {
  const world = await frozen();
  const first = await ask(world, { requestedBy: "anna" });
  await work(world);
  const second = await ask(world, { requestedBy: "ben", liftFreeze: "ticket 42" });
  expect(second).toMatchObject({ rotationId: first.rotationId, joined: true });
  expect(second.waiting).toBeUndefined();
  await work(world);
  expect(await world.journal.run("app", first.rotationId)).toMatchObject({
    state: "done",
    why: "Requested by anna (cause: operator); then by ben (cause: operator); freezes lifted by ben: ticket 42",
    lift: { by: "ben" },
  });
});

test("A lifted freeze stays lifted for the next attempt and for the retry after a failure", async () => {
  const world = await frozen();
  await ask(world, { liftFreeze: "ticket 42" });
  await work(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  world.advance(hour);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  expect((await readRecord(world)).again?.lift?.why).toBe("ticket 42");
  world.advance(hour);
  await work(world);
  expect(world.applied.size).toBe(1);
  expect((await world.journal.runs("app", 1))[0]).toMatchObject({ lift: { why: "ticket 42" } });
});

test("A request that lifts a freeze releases a rotation that the freeze delays between two attempts", async () => {
  const later = [
    { ...yearEnd, from: "2026-01-01T00:05:00Z", to: "2026-01-07T00:00:00Z", lift: [] },
  ];
  const world = await worldWith({ freeze: later });
  await work(world);
  const { rotationId } = await ask(world);
  await work(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  world.advance(hour);
  await work(world);
  const plain = await ask(world);
  expect(plain).toMatchObject({ rotationId, joined: true, waiting: { until } });
  expect(await asking(world).rotation("app", rotationId)).toMatchObject({ queuedUntil: until });
  expect((await ask(world, { liftFreeze: "ticket 42" })).waiting).toBeUndefined();
  await work(world);
  expect(await world.journal.run("app", rotationId)).toMatchObject({ state: "done" });
});

test("An exposure that joins a queued rotation becomes its reason in the history", async () => {
  const world = await frozen();
  const { rotationId } = await ask(world, { requestedBy: "anna" });
  await ask(world, { requestedBy: "security", reason: "exposure" });
  expect(await world.journal.run("app", rotationId)).toMatchObject({
    state: "queued",
    reason: "exposure",
    requestedBy: "security",
    why: `Requested by anna (cause: operator); then by security (cause: exposure); ${why}`,
  });
});

test("An exposure that joins an open rotation becomes its reason in the history, and later requests do not change that", async () => {
  const world = await worldWith({});
  await work(world);
  const { rotationId } = await ask(world, { requestedBy: "anna" });
  await work(
    world,
    failing("target.verify", 1, () => new TargetUnavailableError("down")),
  );
  await ask(world, { requestedBy: "security", reason: "exposure" });
  await ask(world, { requestedBy: "ben" });
  await work(world);
  expect(await world.journal.run("app", rotationId)).toMatchObject({
    state: "done",
    reason: "exposure",
    requestedBy: "security",
    why: expect.stringContaining("; then requested by security (cause: exposure)") as string,
  });
});

test.each<[string, Partial<TargetRecord>, Partial<Requested["waiting"]>]>([
  [
    "rests after an error",
    { restUntil: "2026-01-01T00:10:00.000Z" },
    {
      until: "2026-01-01T00:10:00.000Z",
      why: "the target rests after an internal error in Keyturn",
    },
  ],
  [
    "is held by a worker",
    { claim: { fence: 9, owner: "w", until: "2026-01-01T00:02:00.000Z" } },
    {
      until: "2026-01-01T00:02:00.000Z",
      why: "a worker is working on the target; the rotation starts as soon as it is done, at the latest when its claim ends",
    },
  ],
])(
  "The answer to a request for a target that %s says until when the rotation waits",
  async (_what, state, waiting) => {
    const world = await worldWith({});
    await work(world);
    const found = await world.journal.read("app");
    if (!found) throw new Error("the target is not known");
    const { record, etag } = found;
    await world.journal.commit({ record: { ...record, ...state }, etag, wakeAt: undefined });
    expect((await ask(world)).waiting).toEqual(waiting);
  },
);

test("The answer to a request says that the target is adopted first, and that no freeze delays the adoption", async () => {
  const world = await worldWith({});
  expect((await ask(world)).waiting?.why).toContain("adopted first");
  const held = await worldWith({ freeze });
  expect((await ask(held)).waiting).toEqual({ until, why });
  await work(held);
  expect((await readRecord(held)).adoptedAt).toBeDefined();
  expect(held.applied.size).toBe(0);
});

test("The answer to a request that joins no rotation says which rotation of the target must end first", async () => {
  const world = await worldWith({});
  await work(world);
  const first = await ask(world);
  let second: Requested | undefined;
  await work(world, async (effect, call) => {
    if (effect === "consumer.refresh") second ??= await ask(world);
    return call();
  });
  expect(second?.waiting?.why).toBe(`rotation ${first.rotationId} of the target must end first`);
});

test("A repeated idempotency key gets the same answer, and a key for another request is refused", async () => {
  const world = await frozen();
  const first = await ask(world, { key: keyed("k") });
  const { wakeAt: _, ...answer } = first;
  expect(await ask(world, { key: keyed("k") })).toEqual(answer);
  expect(answer.waiting?.until).toBe(until);
  await expect(ask(world, { key: keyed("k", "another"), liftFreeze: "now" })).rejects.toThrow(
    "a different request",
  );
});

test("A grace has the same limit as in the configuration, because the next rotation of a pair needs the other account", async () => {
  const world = await worldWith({}, pairAdmin);
  await work(world);
  await expect(ask(world, { grace: 91 * 24 * hour })).rejects.toThrow("grace must be at most 90d");
  await ask(world, { grace: 90 * 24 * hour });
});

test("A request that fails because the target cannot be adopted keeps its lifted freeze in the history", async () => {
  const world = await worldWith({ freeze });
  const { rotationId } = await ask(world, { liftFreeze: "ticket 42" });
  await work(
    world,
    failing("vault.read", 1, () => new VaultUnavailableError("down")),
  );
  expect(await world.journal.run("app", rotationId)).toMatchObject({
    state: "failed",
    lift: { why: "ticket 42" },
  });
});
