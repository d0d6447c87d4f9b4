import { expect, test } from "vitest";
import { ChangeRefusedError, TargetUnavailableError } from "../../../../shared/core/errors.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { register } from "../../../../shared/engine/scheduling/register.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { asSetting } from "../../../../shared/rotators/as-setting.ts";
import { nights, withPolicy, work, worldWith, yearEnd } from "../../policy-world.ts";
import { failing, readRecord, request, setPassword, writeByHand } from "../../steps.ts";
import { open, pairAdmin } from "../../world.ts";

test("A due rotation waits for the window, and the due reason says so", async () => {
  const world = await worldWith({ ...nights, every: day });
  await work(world);
  const { nextDue, dueReason } = await readRecord(world);
  expect(nextDue).toBe("2026-01-02T02:00:00.000Z");
  expect(dueReason).toBe(
    "policy test: due 1d after 2026-01-01T00:00:00.000Z; starts in the window from Fri 2026-01-02 02:00 UTC",
  );
  world.advanceTo("2026-01-02T01:59:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(0);
  world.advanceTo("2026-01-02T02:00:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(1);
});

test("A start after the end of the window is rescheduled, and changes nothing", async () => {
  const world = await worldWith({ ...nights, every: day, verifyEvery: "none" });
  await work(world);
  world.advanceTo("2026-01-02T04:00:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).nextDue).toBe("2026-01-03T02:00:00.000Z");
  expect(world.events.at(-1)).toMatchObject({ type: "held-back" });
  world.advanceTo("2026-01-03T03:59:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(1);
});

test("A Key Vault event outside of the window changes nothing", async () => {
  const world = await worldWith({ ...nights, every: day });
  await work(world);
  world.advanceTo("2026-01-02T12:00:00.000Z");
  await work(world, open, true);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).nextDue).toBe("2026-01-03T02:00:00.000Z");
});

test("A request by an operator does not wait for a window", async () => {
  const world = await worldWith({ ...nights });
  await work(world);
  world.advanceTo("2026-01-01T12:00:00.000Z");
  const id = await request(world);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A request by an operator waits for the end of a freeze, and the record says why", async () => {
  const world = await worldWith({ freeze: [{ ...yearEnd, lift: ["exposure"] }] });
  await work(world);
  const id = await request(world);
  await work(world);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).request).toMatchObject({
    rotationId: id,
    notBefore: "2026-01-07T00:00:00.000Z",
    heldBy: "policy test: frozen from 2026-01-01 to 2026-01-06 (year end)",
  });
  world.advanceTo("2026-01-07T00:00:00.000Z");
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A freeze that an operator's request lifts delays only the schedule", async () => {
  const world = await worldWith({ every: day, freeze: [{ ...yearEnd, lift: ["operator"] }] });
  await work(world);
  expect((await readRecord(world)).nextDue).toBe("2026-01-07T00:00:00.000Z");
  const id = await request(world);
  await work(world);
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A failed try is repeated inside the window, and otherwise waits for the next window", async () => {
  const world = await worldWith({ ...nights, every: day });
  await work(world);
  world.advanceTo("2026-01-02T03:30:00.000Z");
  const down = failing("target.verify", 9, () => new TargetUnavailableError("down"));
  await work(world, down);
  const again = (await readRecord(world)).rotation?.nextAttemptAt ?? "";
  expect(again < "2026-01-02T04:00:00.000Z").toBe(true);
  world.advanceTo("2026-01-02T04:01:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(world)).rotation?.nextAttemptAt).toBe("2026-01-03T02:00:00.000Z");
  world.advanceTo("2026-01-03T02:00:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(1);
  expect((await readRecord(world)).health).toBe("healthy");
});

test("A request by an operator starts a rotation that waits for its window", async () => {
  const world = await worldWith({ ...nights, every: day });
  await work(world);
  world.advanceTo("2026-01-02T03:59:00.000Z");
  const down = failing("target.verify", 9, () => new TargetUnavailableError("down"));
  await work(world, down);
  world.advanceTo("2026-01-02T05:00:00.000Z");
  await work(world);
  expect(world.applied.size).toBe(0);
  const id = await request(world);
  await work(world);
  expect(await world.journal.run("app", id)).toMatchObject({ state: "done", reason: "operator" });
});

test("A rotation that may have changed the account continues outside of windows and in freezes", async () => {
  const world = await worldWith({
    ...nights,
    every: day,
    freeze: [{ from: "2026-01-02T03:59:30Z", to: "2026-01-09", reason: "audit", lift: [] }],
  });
  await work(world);
  world.advanceTo("2026-01-02T03:59:00.000Z");
  let applied = 0;
  await work(world, async (effect, call) => {
    if (effect === "target.verify" && applied > 0) throw new TargetUnavailableError("down");
    if (effect === "target.apply") applied++;
    return call();
  });
  expect((await readRecord(world)).rotation?.changeBegan).toBe(true);
  world.advanceTo("2026-01-02T04:30:00.000Z");
  await work(world);
  expect((await readRecord(world)).rotation).toBeUndefined();
  expect(world.publishedWorks()).toBe(true);
});

test("An edit of a policy reschedules only the targets that it affects", async () => {
  const world = await worldWith({});
  await work(world);
  const ports = world.ports(open);
  const edited = withPolicy(world, { every: 30 * day }).target;
  await register(ports, [world.target]);
  expect((await readRecord(world)).nextDue).toBe(plus(world.now(), 90 * day));
  await register(ports, [edited]);
  const record = await readRecord(world);
  expect(record.nextDue).toBe(plus(world.now(), 30 * day));
  expect(record.dueReason).toContain("30d after");
});

test("A request that waits for a freeze starts when an edit removes the freeze", async () => {
  const world = await worldWith({ freeze: [{ ...yearEnd, lift: [] }] });
  await work(world);
  const id = await request(world);
  await work(world);
  expect((await readRecord(world)).request?.heldBy).toContain("year end");
  await work(withPolicy(world, { freeze: [] }));
  expect((await world.journal.run("app", id))?.state).toBe("done");
});

test("A secret that somebody else changed is due by its own age", async () => {
  const world = await worldWith({ every: day });
  await work(world);
  world.advance(23 * hour);
  setPassword(world, "app", "changed-by-hand");
  await writeByHand(world, "app", "changed-by-hand");
  await work(world, open, true);
  expect((await readRecord(world)).nextDue).toBe("2026-01-02T23:00:00.000Z");
  world.advance(2 * hour);
  await work(world);
  expect(world.applied.size).toBe(0);
});

test("A credential may be rotated as soon as it is adopted, or some time after", async () => {
  const world = await worldWith({ adopt: { mode: "rotate", delay: 3 * day } });
  world.advance(minute);
  await work(world);
  expect((await readRecord(world)).nextDue).toBe("2026-01-04T00:01:00.000Z");
  const eager = await worldWith({ adopt: { mode: "rotate" } });
  eager.advance(minute);
  await work(eager);
  expect(eager.applied.size).toBe(1);
  expect((await readRecord(eager)).nextDue).toBe(plus(eager.now(), 90 * day));
});

test("The timeouts of a policy shorten the engine's limits, and never extend them", async () => {
  const world = await worldWith({ timeouts: { verify: 3_000, change: 90_000 } });
  const asked: number[] = [];
  const ports = world.ports(open);
  const timed = {
    ...ports,
    deadline: (milliseconds: number) => {
      asked.push(milliseconds);
      return ports.deadline(milliseconds);
    },
  };
  await request(world);
  await workOn(timed, world.target);
  expect(world.applied.size).toBe(1);
  expect(asked).toContain(3_000);
  expect(asked).toContain(40_000);
  expect(asked).not.toContain(90_000);
});

test.each([
  ["is passed to every call to the target", { connect: 2_000 }, 2_000],
  ["is left to the engine where none is set", { verify: 3_000 }, undefined],
])("The connect timeout %s", async (_what, timeouts, expected) => {
  const world = await worldWith({ timeouts }, pairAdmin);
  const ports = world.ports(open);
  const rotator = asSetting(ports.rotator("memory"));
  const told: Record<"apply" | "verify" | "retire", unknown[]> = {
    apply: [],
    verify: [],
    retire: [],
  };
  const watched: typeof rotator = {
    ...rotator,
    apply: (change, signal) => {
      told.apply.push(change.connectWithin);
      return rotator.apply(change, signal);
    },
    verify: (check, signal) => {
      told.verify.push(check.connectWithin);
      return rotator.verify(check, signal);
    },
    retire: async (retire, signal) => {
      told.retire.push(retire.connectWithin);
      await rotator.retire?.(retire, signal);
    },
  };
  await workOn({ ...ports, rotator: () => watched }, world.target);
  await request(world, { grace: 0 });
  await workOn({ ...ports, rotator: () => watched }, world.target);
  for (const all of Object.values(told)) expect(new Set(all)).toEqual(new Set([expected]));
});

test("An edit of the policy does not postpone the next try after a failure", async () => {
  const world = await worldWith({});
  await work(world);
  await request(world, { reason: "exposure" });
  await work(world, (effect, call) =>
    effect === "target.apply" ? Promise.reject(new ChangeRefusedError("no")) : call(),
  );
  const { nextDue } = await readRecord(world);
  const edited = withPolicy(world, { every: 60 * day });
  await work(edited);
  expect((await readRecord(edited)).nextDue).toBe(nextDue);
});

test("An edit of the policy does not start a rotation that the adoption did not start", async () => {
  const world = await worldWith({});
  setPassword(world, "app", "changed behind our back");
  await work(world);
  const edited = withPolicy(world, { every: 60 * day });
  await work(edited);
  expect(world.applied.size).toBe(0);
  expect((await readRecord(edited)).nextDue).toBe(plus("2026-01-01T00:00:00.000Z", 60 * day));
});
