import { expect, test } from "vitest";
import { TargetUnavailableError, VaultUnavailableError } from "../../../../shared/core/errors.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { adopted, readRecord, request, work } from "../../steps.ts";
import { type Gate, kinds, pairAdmin, singleAdmin, type World } from "../../world.ts";

/** Runs a worker whose clock is `aheadMs` ahead of the other clocks. */
function workAhead(world: World, aheadMs: number, gate: Gate) {
  return workOn(world.ports(gate, aheadMs), world.target);
}

for (const aheadMs of [-10 * minute, hour, 400 * day]) {
  test(`A worker whose clock is off by ${aheadMs / minute} minutes keeps its claim on a target for two minutes after it died`, async () => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    let commits = 0;
    await workAhead(world, aheadMs, (effect, call) =>
      effect === "journal.commit" && ++commits === 2
        ? Promise.reject(new JournalUnavailableError("it dies"))
        : call(),
    ).catch(() => undefined);
    world.advance(minute);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("running");
    world.advance(minute + 1);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("done");
  });
}

test.each(kinds)(
  "A worker whose clock is behind cannot claim a target that another worker owns: $name",
  async (kind) => {
    const world = await adopted(kind);
    await request(world);
    const fences: number[] = [];
    await work(world, async (effect, call) => {
      if (effect !== "target.apply") return call();
      for (const aheadMs of [-10 * minute, hour]) {
        await workAhead(world, aheadMs, (_effect, go) => go());
        fences.push((await readRecord(world)).claim.fence);
      }
      return call();
    });
    expect(new Set(fences).size).toBe(1);
    expect(world.publishedWorks()).toBe(true);
  },
);

test.each([-10 * minute, hour])(
  "A worker with a wrong clock (%i ms) schedules the next try for the right time",
  async (aheadMs) => {
    const world = await adopted(singleAdmin);
    const id = await request(world);
    let refused = false;
    await workAhead(world, aheadMs, (effect, call) => {
      if (effect !== "target.verify" || !world.applied.size || refused) return call();
      refused = true;
      return Promise.reject(new TargetUnavailableError("the line was lost"));
    });
    const { rotation } = await readRecord(world);
    expect(Date.parse(rotation?.nextAttemptAt ?? "") - Date.parse(world.now())).toBeLessThan(
      10_000,
    );
    world.advance(10_000);
    await work(world);
    expect((await world.journal.run("app", id))?.state).toBe("done");
    expect(world.applied.size).toBe(1);
  },
);

test.each([singleAdmin, pairAdmin])(
  "A change that takes effect after the claim was lost raises an alarm and a check of the published secret: $name",
  async (kind) => {
    const world = await adopted(kind);
    await request(world);
    let isLate = false;
    await work(world, async (effect, call) => {
      if (effect !== "target.apply" || isLate) return call();
      isLate = true;
      // Suspended between its last renewal and the change; another worker ends the rotation, and another one follows.
      world.advance(3 * minute);
      await work(world);
      await request(world);
      await work(world);
      return call();
    });
    expect(await world.journal.alarms(5)).toMatchObject([
      { kind: "claim-lost-after-change", targetId: "app" },
    ]);
    expect((await readRecord(world)).check?.why).toContain("lost its claim");
    for (let turn = 0; turn < 3; turn++) {
      await work(world);
      world.advance(11 * minute);
    }
    expect((await readRecord(world)).check).toBeUndefined();
    expect(world.publishedWorks()).toBe(true);
    expect((await readRecord(world)).health).toBe("healthy");
  },
);

test("A check that fails is repeated, and publishes nothing", async () => {
  const world = await adopted(singleAdmin);
  const found = await world.journal.read("app");
  if (!found) throw new Error("the journal does not know the target");
  const due = { at: world.now(), why: "a test", failures: 0 };
  const record = { ...found.record, check: due };
  await world.journal.commit({ record, etag: found.etag, wakeAt: world.now() });
  const down: Gate = (effect, call) =>
    effect === "vault.read" ? Promise.reject(new VaultUnavailableError("down")) : call();
  await work(world, down);
  expect((await readRecord(world)).check?.failures).toBe(1);
  expect(world.vault.versions("app-db")).toHaveLength(1);
  world.advance(12 * minute);
  await work(world);
  expect((await readRecord(world)).check).toBeUndefined();
});
