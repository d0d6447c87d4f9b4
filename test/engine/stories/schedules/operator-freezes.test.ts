import { expect, test } from "vitest";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { begin, makeProcess, stateOf, until, wanted } from "../../freezing-process.ts";
import { readRecord } from "../../steps.ts";
import type { Gate } from "../../world.ts";

test("A freeze delays a request until its end, with its reason and who set it, and the request starts then", async () => {
  const { world, one } = await begin();
  const set = await one.freeze(wanted);
  expect(set).toMatchObject({ state: "in force", matches: 1, from: world.now() });
  const asked = await one.request();
  expect(asked?.waiting).toEqual({
    until,
    why: `policy test: frozen from ${world.now()} to ${until} (audit, set by anna)`,
  });
  await one.run();
  expect(world.applied.size).toBe(0);
  expect((await one.target("app"))?.queuedWhy).toContain("audit, set by anna");
  expect(await world.journal.due(world.now(), 9)).toEqual([]);
  world.advanceTo(until);
  await one.run();
  expect(await stateOf(world, asked?.rotationId)).toBe("done");
  expect((await one.freezes())[0]).toMatchObject({ state: "ended" });
});

test("A dry run says that a freeze which a person set delays the rotation", async () => {
  const { one } = await begin();
  await one.freeze(wanted);
  const outcome = await one.dryRun("app");
  const [start] = outcome && "done" in outcome ? outcome.done.checks : [];
  expect(start).toMatchObject({ check: "start", result: "warning" });
  expect(start?.sentence).toContain("audit, set by anna");
});

test("A freeze is lifted by a request that lifts it, and by the reasons that it lists", async () => {
  const { world, one } = await begin();
  await one.freeze(wanted);
  await one.request();
  await one.run();
  expect(world.applied.size).toBe(0);
  expect((await one.request({ liftFreeze: "ticket 42" }))?.waiting).toBeUndefined();
  await one.run();
  expect(world.applied.size).toBe(1);
  expect((await one.request({ reason: "exposure" }))?.waiting).toBeUndefined();
  await one.run();
  expect(world.applied.size).toBe(2);
});

test("Another process knows a new freeze after ten seconds at the latest, and reads it once in ten seconds", async () => {
  const { world, one } = await begin();
  const two = makeProcess(world);
  await two.work();
  await one.freeze(wanted);
  world.advance(10 * second);
  const before = two.seen.reads;
  await two.request();
  for (let times = 0; times < 20; times++) {
    await two.work();
    world.advance(second / 4);
  }
  expect(world.applied.size).toBe(0);
  expect(two.seen.reads - before).toBe(1);
});

test("A request that was accepted while a worker without the freeze held the target is released by an early end", async () => {
  const { world, one } = await begin();
  let id = "";
  const racing: Gate = async (effect, call) => {
    if (effect === "vault.read" && id === "") {
      ({ id } = await one.freeze(wanted));
      await one.request();
    }
    return call();
  };
  const late = makeProcess(world, [world.target], racing);
  await late.notice({});
  await world.journal.read("app");
  const before = await readRecord(world);
  await world.journal.commit({
    record: { ...before, check: { at: world.now(), why: "doubt", failures: 0 } },
    etag: (await world.journal.read("app"))?.etag,
    wakeAt: world.now(),
  });
  await late.work();
  expect(await readRecord(world)).toMatchObject({ request: { notBefore: until } });
  await one.endFreeze(id, { by: "ben" });
  world.advance(minute);
  await one.run();
  expect(world.applied.size).toBe(1);
});

test("A rotation that may have changed the target is finished during a freeze that begins meanwhile", async () => {
  const { world, one } = await begin();
  await one.request();
  const racing: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") {
      await one.freeze(wanted);
      world.advance(10 * second);
    }
    return result;
  };
  await makeProcess(world, [world.target], racing).work();
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).rotation).toBeUndefined();
});

test("A freeze applies to a target that matches its selection later", async () => {
  const { world } = await begin();
  const tags = { team: "payments" };
  const other = { ...world.target, id: "other", tags };
  const selection = { tags: Object.entries(tags) };
  const one = makeProcess(world, [world.target, other]);
  expect(await one.freeze({ ...wanted, selection })).toMatchObject({ matches: 1 });
  const edited = makeProcess(world, [{ ...world.target, tags }, other]);
  expect((await edited.freezes())[0]).toMatchObject({ matches: 2 });
  expect((await edited.request())?.waiting?.until).toBe(until);
});

test("A planned freeze begins by itself, and the plan shows no rotation in it", async () => {
  const { world, one } = await begin();
  const daily = makeProcess(world, [
    { ...world.target, policy: { ...world.target.policy, every: 24 * hour } },
  ]);
  const from = "2026-01-01T12:00:00.000Z";
  expect(await one.freeze({ ...wanted, from })).toMatchObject({ state: "planned" });
  const plan = JSON.parse(await daily.plan({ format: "json", to: "2026-01-07T00:00:00.000Z" })) as {
    rotations: { at: string; why: string }[];
  };
  expect(plan.rotations[0]?.at).toBe(until);
  expect(plan.rotations[0]?.why).toContain("audit, set by anna");
  await daily.run();
  expect((await daily.target("app"))?.nextDue).toBe(until);
});

test("The end of a freeze that does not exist is nothing, and a second end changes nothing", async () => {
  const { world, one } = await begin();
  expect(await one.endFreeze("01NONE", { by: "ben" })).toBeUndefined();
  const { id } = await one.freeze(wanted);
  const ended = await one.endFreeze(id, { by: "ben" });
  world.advance(hour);
  expect(await one.endFreeze(id, { by: "eva" })).toEqual(ended);
});

test("A clock that went backwards makes a process read the freezes again", async () => {
  const { world, one } = await begin();
  world.advance(hour);
  const two = makeProcess(world);
  await two.target("app");
  world.advance(-hour);
  const { reads } = two.seen;
  await one.freeze(wanted);
  expect((await two.request())?.waiting?.until).toBe(until);
  expect(two.seen.reads).toBe(reads + 1);
});

test.each([
  ["a target that does not exist", { targets: ["orders", "nope"] }, '"nope"'],
  ["a policy that no target has", { policy: "nope" }, "no target matches"],
  ["filters that no target matches together", { type: "postgresql", vault: "nope" }, "no target"],
])("A freeze of %s is refused, because it would do nothing", async (_, selection, says) => {
  const { one } = await begin();
  await expect(one.freeze({ ...wanted, selection })).rejects.toThrow(says);
  expect(await one.freezes()).toEqual([]);
});
