import { expect, test } from "vitest";
import { TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { describeWaiting } from "../../../../shared/core/lifecycle/waiting.ts";
import { between, day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { pauseTarget } from "../../../../shared/engine/inbox/pause.ts";
import { makePlan } from "../../../../shared/engine/queries/plan.ts";
import { accepted, importInto, undo } from "../../given-steps.ts";
import { withPolicy, yearEnd } from "../../policy-world.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, ask, failing, keyed, readRecord, request, rotate, work } from "../../steps.ts";
import { kinds, open, pairAdmin, singleAdmin, type World } from "../../world.ts";

const runOf = (world: World, id: string) => world.journal.run("app", id);
const inDays = (world: World, days: number) => plus(world.now(), days * day);

test.each(kinds)("A rotation at a date starts then, and not before: $name", async (kind) => {
  const world = await adopted(kind);
  const notBefore = inDays(world, 3);
  const asked = await ask(world, { notBefore });
  expect(asked).toMatchObject({
    joined: false,
    waiting: { until: notBefore, why: `scheduled for ${notBefore} by test` },
  });
  await workFor(world, 3 * day - minute);
  expect((await runOf(world, asked.rotationId))?.state).toBe("queued");
  expect(world.applied.size).toBe(0);
  await workFor(world, hour);
  expect(await runOf(world, asked.rotationId)).toMatchObject({
    state: "done",
    requestedBy: "test",
  });
  expect(world.applied.size).toBe(1);
  expect((await readRecord(world)).dated).toBeUndefined();
});

test("A date in the past means now", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world, { notBefore: plus(world.now(), -hour) });
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
});

test("A rotation before the date does not answer a scheduled one, because its secret may be known by then", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 3);
  const dated = await request(world, { notBefore });
  const incident = await rotate(world, { reason: "exposure", requestedBy: "security" });
  expect(incident).not.toBe(dated);
  expect((await runOf(world, incident))?.state).toBe("done");
  expect((await runOf(world, dated))?.state).toBe("queued");
  await workFor(world, 4 * day);
  expect((await runOf(world, dated))?.state).toBe("done");
  expect(world.applied.size).toBe(2);
});

test("A rotation that starts after the date answers every scheduled one", async () => {
  const world = await adopted(pairAdmin);
  const first = await request(world, { notBefore: inDays(world, 1) });
  const second = await request(world, { notBefore: inDays(world, 1), requestedBy: "ben" });
  const later = await request(world, { notBefore: inDays(world, 9) });
  world.advance(day);
  await work(world);
  const run = await runOf(world, first);
  expect(run?.state).toBe("done");
  expect(await runOf(world, second)).toMatchObject({
    state: "done",
    why: expect.stringContaining(`Rotation ${first} started after`) as string,
    published: run?.published,
  });
  expect((await runOf(world, later))?.state).toBe("queued");
  expect(world.applied.size).toBe(1);
});

test("A scheduled rotation survives a failed one, an import and an undo", async () => {
  const world = await adopted(pairAdmin);
  const id = await request(world, { notBefore: inDays(world, 1) });
  await accepted(importInto(world));
  await work(world);
  await accepted(undo(world));
  await work(world);
  world.advance(day);
  await work(
    world,
    failing("target.verify", 99, () => new TargetUnavailableError("down")),
  );
  expect((await runOf(world, id))?.state).toBe("running");
  world.advance(11 * minute);
  await work(world);
  expect((await runOf(world, id))?.state).toBe("done");
});

test("A freeze and a pause delay a scheduled rotation at its date, unless they are lifted", async () => {
  const freeze = [{ ...yearEnd, lift: [] }];
  const frozen = withPolicy(await adopted(singleAdmin), { freeze });
  const id = await request(frozen, { notBefore: inDays(frozen, 1) });
  frozen.advance(2 * day);
  await work(frozen);
  expect((await runOf(frozen, id))?.state).toBe("queued");
  const lifted = await request(frozen, { notBefore: inDays(frozen, 1), liftFreeze: "audit" });
  frozen.advance(day);
  await work(frozen);
  // The lift of the second one starts the first one, which answers both.
  expect((await runOf(frozen, id))?.state).toBe("done");
  expect((await runOf(frozen, lifted))?.state).toBe("done");

  const paused = await adopted(singleAdmin);
  const dated = await request(paused, { notBefore: inDays(paused, 1) });
  const until = inDays(paused, 3);
  await pauseTarget(paused.ports(open), paused.target, { by: "ben", reason: "move", until });
  await workFor(paused, 2 * day);
  expect((await runOf(paused, dated))?.state).toBe("queued");
  await workFor(paused, 2 * day);
  expect((await runOf(paused, dated))?.state).toBe("done");
});

test("A scheduled rotation that no freeze delays does not wait behind others at the same time", async () => {
  const world = withPolicy(await adopted(singleAdmin), { freeze: [{ ...yearEnd, lift: [] }] });
  const ids = [await request(world)];
  for (const liftFreeze of [undefined, "audit"]) {
    const notBefore = inDays(world, 1);
    ids.push(await request(world, { notBefore, ...(liftFreeze && { liftFreeze }) }));
  }
  world.advance(day);
  await work(world);
  for (const id of ids) expect((await runOf(world, id))?.state).toBe("done");
});

test("A scheduled rotation with a force starts during the pause, although an earlier one was forced before it", async () => {
  const world = await adopted(singleAdmin);
  const ids = [await request(world, { force: "before the pause" })];
  world.advance(hour);
  const until = inDays(world, 9);
  await pauseTarget(world.ports(open), world.target, { by: "ben", reason: "move", until });
  world.advance(hour);
  ids.push(await request(world, { notBefore: inDays(world, 1), force: "agreed with ben" }));
  world.advance(day);
  await work(world);
  for (const id of ids) expect((await runOf(world, id))?.state).toBe("done");
});

test("A rotation that is scheduled while a worker works is not lost", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  let dated = "";
  await work(world, async (effect, call) => {
    if (effect === "target.apply" && dated === "") {
      dated = await request(world, { notBefore: inDays(world, 1) });
    }
    return call();
  });
  expect((await readRecord(world)).dated).toMatchObject([{ rotationId: dated }]);
  await workFor(world, 2 * day);
  expect((await runOf(world, dated))?.state).toBe("done");
});

test("The same key leads to the same scheduled rotation, and another date is another request", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 3);
  const id = await request(world, { notBefore, key: keyed("leaver-7") });
  expect(await request(world, { notBefore, key: keyed("leaver-7") })).toBe(id);
  const other = request(world, { notBefore: inDays(world, 4), key: keyed("leaver-7", "another") });
  await expect(other).rejects.toThrow("different request");
  expect((await readRecord(world)).dated).toHaveLength(1);
});

test("A date that is too far ahead, and more dates than a target keeps, are rejected", async () => {
  const world = await adopted(singleAdmin);
  await expect(request(world, { notBefore: inDays(world, 401) })).rejects.toThrow("400 days");
  for (let days = 5; days > 0; days--) await request(world, { notBefore: inDays(world, days) });
  const dates = (await readRecord(world)).dated?.map(({ notBefore }) => notBefore) ?? [];
  expect(dates).toEqual(dates.toSorted());
  await expect(request(world, { notBefore: inDays(world, 9) })).rejects.toThrow("already has 5");
});

test("A plan shows a scheduled rotation, with who scheduled it and what delays it", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 3);
  const justification = { reason: "eva leaves", ticket: "HR-7" };
  await request(world, { notBefore, justification });
  const plan = (planned: World) =>
    makePlan(planned.ports(open), [planned.target], { format: "json" });
  const first = async (planned: World) =>
    (JSON.parse(await plan(planned)) as { rotations: { at: string; why: string }[] }).rotations[0];
  expect(await first(world)).toMatchObject({
    at: notBefore,
    why: `scheduled for ${notBefore} by test; reason: eva leaves; ticket: HR-7`,
  });
  const frozen = withPolicy(world, { freeze: [{ ...yearEnd, lift: [] }] });
  expect((await first(frozen))?.at).toBe("2026-01-07T00:00:00.000Z");
});

test("A plan shows the scheduled rotation that starts first: a pause delays the others, and a force from before the pause", async () => {
  const world = await adopted(singleAdmin);
  const early = await request(world, { notBefore: inDays(world, 1), force: "before the pause" });
  world.advance(minute);
  const until = inDays(world, 9);
  await pauseTarget(world.ports(open), world.target, { by: "ben", reason: "move", until });
  const notBefore = inDays(world, 3);
  const forced = await request(world, { notBefore, force: "eva leaves", requestedBy: "ben" });
  const plan = await makePlan(world.ports(open), [world.target], { format: "json" });
  const { rotations } = JSON.parse(plan) as { rotations: { at: string; why: string }[] };
  expect(rotations[0]).toMatchObject({
    at: notBefore,
    why: expect.stringContaining("by ben") as string,
  });
  await workFor(world, 4 * day);
  expect(await runOf(world, forced)).toMatchObject({ state: "done", startedAt: notBefore });
  // Its rotation starts after the earlier date, and answers that one too.
  expect((await runOf(world, early))?.state).toBe("done");
});

test("After its date, a scheduled rotation waits for the end of a pause, and not for its date", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 1);
  const id = await request(world, { notBefore });
  const until = inDays(world, 3);
  await pauseTarget(world.ports(open), world.target, { by: "ben", reason: "move", until });
  const waiting = async () =>
    describeWaiting(await readRecord(world), id, world.target, world.now());
  expect(await waiting()).toMatchObject({
    until,
    why: expect.stringContaining("by ben") as string,
  });
  await workFor(world, 2 * day);
  expect(await waiting()).toMatchObject({
    until,
    why: expect.stringContaining("by ben") as string,
  });
  const forced = await request(world, { notBefore: inDays(world, 9), force: "audit" });
  expect(describeWaiting(await readRecord(world), forced, world.target, world.now())?.until).toBe(
    inDays(world, 9),
  );
});

test("After its date, a scheduled rotation waits for an open rotation", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world, { notBefore: plus(world.now(), minute) });
  const incident = await request(world);
  await work(
    world,
    failing("target.verify", 99, () => new TargetUnavailableError("down")),
  );
  world.advance(2 * minute);
  const waiting = describeWaiting(await readRecord(world), id, world.target, world.now());
  expect(waiting?.why).toContain(`rotation ${incident} of the target must end first`);
});

test("A plan delays a scheduled rotation by a pause, also if a retry was forced before", async () => {
  const world = await adopted(singleAdmin);
  const until = inDays(world, 9);
  await pauseTarget(world.ports(open), world.target, { by: "ben", reason: "move", until });
  world.advance(minute);
  await request(world, { force: "cannot wait" });
  const broken = failing("target.verify", 99, () => new TargetUnavailableError("down"));
  for (let tries = 0; (await readRecord(world)).again === undefined && tries < 20; tries++) {
    await work(world, broken);
    world.advance(30 * minute);
  }
  expect((await readRecord(world)).again?.force?.why).toBe("cannot wait");
  const notBefore = inDays(world, 3);
  await request(world, { notBefore });
  const plan = await makePlan(world.ports(open), [world.target], { format: "json" });
  const { rotations } = JSON.parse(plan) as { rotations: { at: string; why: string }[] };
  expect(rotations[0]).toMatchObject({
    at: until,
    why: expect.stringContaining(`scheduled for ${notBefore}`) as string,
  });
});

test("The shorter grace of a scheduled rotation counts for the request that waits by then and answers it", async () => {
  const world = withPolicy(await adopted(pairAdmin), { freeze: [{ ...yearEnd, lift: [] }] });
  const dated = await request(world, { notBefore: inDays(world, 2), grace: 0 });
  const waiting = await request(world);
  await workFor(world, 9 * day);
  expect((await runOf(world, dated))?.state).toBe("done");
  const started = (await runOf(world, waiting))?.startedAt ?? "";
  const retired = world.events.find(({ type }) => type === "retired")?.at;
  expect(retired && between(started, retired)).toBeLessThan(minute);
});
