import { describe, expect, test } from "vitest";
import { hour, minute } from "../../../../shared/core/time.ts";
import {
  type PauseResult,
  pauseTarget,
  resumeTarget,
} from "../../../../shared/engine/inbox/pause.ts";
import { makePlan } from "../../../../shared/engine/queries/plan.ts";
import { withPolicy } from "../../policy-world.ts";
import { adopted, ask, readRecord, rotate, work, writeByHand } from "../../steps.ts";
import { type Gate, type Kind, open, pairAdmin, singleAdmin, type World } from "../../world.ts";

const until = "2026-01-05T08:00:00.000Z";
const why = "move of the server";
const waiting = {
  until,
  why: `paused by anna until ${until} (${why}); a request with force does not wait`,
};

const pause = (world: World, fields: object = {}) =>
  pauseTarget(world.ports(open), world.target, { reason: why, by: "anna", until, ...fields });
const resume = (world: World, gate: Gate = open) =>
  resumeTarget(world.ports(gate), world.target, { by: "ben" });

/** Runs `act` once, before the effect with this number. Counts the effects and the changes after that. */
function before(number: number, act: () => Promise<unknown>) {
  const seen = { effects: 0, changesAfter: 0 };
  const gate: Gate = async (effect, call) => {
    if (seen.effects++ === number) await act();
    else if (seen.effects > number && effect === "target.apply") seen.changesAfter++;
    return call();
  };
  return { gate, seen };
}

/** A heartbeat, which a pause does not delay, would wake the target before its end. */
function adoptedQuietly(kind: Kind): Promise<World> {
  return adopted({ ...kind, verifyEvery: "none" });
}

describe.each([singleAdmin, pairAdmin])("with $name", (kind) => {
  test("A pause before any effect of a rotation stops it unless it may have changed the target, and it ends after the pause", async () => {
    for (let number = 0; ; number++) {
      const world = await adoptedQuietly(kind);
      const rotationId = (await ask(world)).rotationId;
      let paused: PauseResult | undefined;
      const { gate, seen } = before(number, async () => {
        paused = await pause(world);
      });
      await work(world, gate);
      if (!paused) break;
      const isFinished = (await world.journal.run("app", rotationId))?.state === "done";
      expect({ number, isFinished }).toEqual({
        number,
        isFinished: seen.changesAfter > 0 || world.applied.size > 0,
      });
      // The answer is kept: a rotation that "waits" has not changed the target afterwards.
      if (!paused.why.includes("finishes it")) expect(seen.changesAfter).toBe(0);
      expect(world.publishedWorks()).toBe(true);
      expect((await readRecord(world)).pause).toMatchObject({ until, reason: why });
      if (!isFinished) expect(await work(world)).toBe(until);
      world.advanceTo(until);
      await work(world);
      expect((await world.journal.run("app", rotationId))?.state).toBe("done");
      expect(world.applied.size).toBe(1);
      expect(world.publishedWorks()).toBe(true);
    }
  });
});

test("A request for a paused target waits, says so, and starts at once after a resume", async () => {
  const world = await adoptedQuietly(singleAdmin);
  await pause(world);
  const { rotationId, ...answer } = await ask(world, { requestedBy: "eva" });
  expect(answer).toMatchObject({ joined: false, wakeAt: until, waiting });
  expect(await work(world)).toBe(until);
  expect(world.applied.size).toBe(0);
  expect(await resume(world)).toMatchObject({ resumed: true });
  await work(world);
  expect(await world.journal.run("app", rotationId)).toMatchObject({ state: "done" });
});

test("A request with a force starts during the pause, and the history says who forced it", async () => {
  const world = await adoptedQuietly(singleAdmin);
  await pause(world);
  const { rotationId, ...answer } = await ask(world, { requestedBy: "eva", force: "ticket 42" });
  expect(answer.waiting).toBeUndefined();
  await work(world);
  expect(await world.journal.run("app", rotationId)).toMatchObject({
    state: "done",
    force: { by: "eva", why: "ticket 42" },
    why: "Requested by eva (cause: operator); pause overridden by eva: ticket 42; policy test: no freeze applies",
  });
  expect((await readRecord(world)).pause).toMatchObject({ until });
});

test("A force lifts no freeze, unless the request lifts it too", async () => {
  const freeze = [{ from: "2026-01-01", to: "2026-01-09", reason: "f", lift: [] }];
  const world = withPolicy(await adoptedQuietly(singleAdmin), { freeze });
  await pause(world);
  const { waiting: freezes } = await ask(world, { force: "ticket 42" });
  expect(freezes?.why).toContain("frozen");
  await work(world);
  expect(world.applied.size).toBe(0);
  const { waiting: none } = await ask(world, { force: "ticket 42", liftFreeze: "ticket 42" });
  expect(none).toBeUndefined();
  await work(world);
  expect(world.applied.size).toBe(1);
});

test("A force counts for the pause before it although the clock went back, and not for a later pause", async () => {
  const world = await adoptedQuietly(singleAdmin);
  world.advance(hour);
  await pause(world);
  world.advance(-minute);
  expect((await ask(world, { force: "ticket 42" })).waiting).toBeUndefined();
  world.advance(2 * minute);
  await pause(world, { reason: "something else" });
  expect(await work(world)).toBe(until);
  expect(world.applied.size).toBe(0);
});

test("An exposure and its clock wait for the end of the pause, and a person can force the rotation", async () => {
  const world = withPolicy(await adoptedQuietly(singleAdmin), { afterExposure: hour });
  await work(world);
  await pause(world);
  const { expose } = await import("../../../../shared/engine/inbox/expose.ts");
  const seen = { by: "ben", kind: "exposure" } as const;
  const outcome = await expose(world.ports(open), world.target, seen);
  expect(outcome).toMatchObject({ counted: true, nextDue: until });
  world.advance(2 * hour);
  expect(await work(world)).toBe(until);
  const queued = await ask(world, { reason: "exposure" });
  expect(queued.waiting).toEqual(waiting);
  await work(world);
  expect(world.applied.size).toBe(0);
  await ask(world, { reason: "exposure", force: "seen in a log" });
  await work(world);
  expect(world.applied.size).toBe(1);
});

test("A retirement waits for the end of the pause", async () => {
  const world = await adoptedQuietly(pairAdmin);
  await rotate(world);
  await pause(world);
  const old = (await readRecord(world)).retirement?.account ?? "";
  world.advance(30 * hour);
  await work(world);
  expect(world.system.passwords.has(old)).toBe(true);
  world.advanceTo(until);
  await work(world);
  expect((await readRecord(world)).retirement).toBeUndefined();
});

test("A check of a paused target restores the published secret, and the rotation that follows waits", async () => {
  const world = await adoptedQuietly(pairAdmin);
  await rotate(world);
  await pause(world);
  const { active = "" } = await readRecord(world);
  await writeByHand(world, active, "not a password of the account");
  await work(world, open, true);
  world.advance(hour);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect(world.applied.size).toBe(1);
  expect(await readRecord(world)).toMatchObject({ request: { reason: "drift" } });
  world.advanceTo(until);
  await work(world);
  expect(world.publishedWorks()).toBe(true);
  expect(world.applied.size).toBe(2);
});

test("A paused target is due at the end of the pause, and not every minute before", async () => {
  const world = withPolicy(await adoptedQuietly(singleAdmin), { every: hour });
  await work(world);
  await pause(world);
  world.advance(2 * hour);
  expect(await world.journal.due(world.now(), 10)).toEqual([]);
  world.advanceTo(until);
  expect(await world.journal.due(world.now(), 10)).toMatchObject([
    { targetId: "app", wakeAt: until },
  ]);
  await work(world);
  expect(world.applied.size).toBe(1);
});

test("A pause that somebody moves has its new end, and a request waits until then", async () => {
  const world = await adoptedQuietly(singleAdmin);
  const { rotationId } = await ask(world);
  await pause(world);
  const later = "2026-01-07T00:00:00.000Z";
  const second = await pause(world, { until: later, by: "ben", reason: "delayed" });
  expect(second.replaced).toMatchObject({ until, by: "anna" });
  world.advanceTo(until);
  expect(await work(world)).toBe(later);
  const sooner = "2026-01-06T00:00:00.000Z";
  await pause(world, { until: sooner });
  world.advanceTo(sooner);
  await work(world);
  expect((await world.journal.run("app", rotationId))?.state).toBe("done");
});

test("A resume ends the pause that its caller could see, and no pause that somebody sets meanwhile", async () => {
  const world = await adoptedQuietly(singleAdmin);
  await pause(world);
  let isFirst = true;
  const racing: Gate = async (effect, call) => {
    if (effect === "journal.commit" && isFirst) {
      isFirst = false;
      world.advance(minute);
      await pause(world, { reason: "a newer reason" });
    }
    return call();
  };
  expect(await resume(world, racing)).toMatchObject({
    resumed: false,
    pause: { reason: "a newer reason" },
  });
  expect((await readRecord(world)).pause).toMatchObject({ reason: "a newer reason" });
  expect(await resume(world)).toMatchObject({ resumed: true });
  expect(await resume(world)).toEqual({ resumed: false, why: "The target was not paused." });
});

test("A pause and a request that race are both kept", async () => {
  const world = await adoptedQuietly(singleAdmin);
  let isFirst = true;
  const racing: Gate = async (effect, call) => {
    if (effect === "journal.commit" && isFirst) {
      isFirst = false;
      await pause(world);
    }
    return call();
  };
  const { waiting: answered } = await ask(world, {}, racing);
  expect(answered).toEqual(waiting);
  expect(await readRecord(world)).toMatchObject({
    pause: { until },
    request: { reason: "operator" },
  });
});

test("A pause without an end in the future is refused, and nothing is written", async () => {
  const world = await adoptedQuietly(singleAdmin);
  const record = await readRecord(world);
  for (const past of ["2025-12-31T00:00:00.000Z", world.now()]) {
    await expect(pause(world, { until: past })).rejects.toThrow("`until` must be in the future");
  }
  await expect(pause(world, { until: "2026-05-01T00:00:00.000Z" })).rejects.toThrow("at most 90d");
  expect(await readRecord(world)).toEqual(record);
});

test("The plan shows no rotation of a paused target before the end of the pause", async () => {
  const world = withPolicy(await adoptedQuietly(singleAdmin), { every: 24 * hour });
  await work(world);
  await pause(world);
  const to = "2026-01-07T00:00:00.000Z";
  const plan = JSON.parse(
    await makePlan(world.ports(open), [world.target], { format: "json", to }),
  ) as { rotations: { at: string; why: string }[] };
  expect(plan.rotations[0]).toMatchObject({ at: until });
  expect(plan.rotations[0]?.why).toContain(`; paused by anna until ${until} (${why})`);
  expect(plan.rotations[1]?.why).not.toContain("paused");
});
