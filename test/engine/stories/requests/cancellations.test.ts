import { expect, test } from "vitest";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { cancelRotation } from "../../../../shared/engine/inbox/cancel.ts";
import { readLedger } from "../../ledger/read-ledger.ts";
import { workFor } from "../../proofs/disturbed.ts";
import { adopted, ask, keyed, readRecord, request, work } from "../../steps.ts";
import { type Gate, open, pairAdmin, singleAdmin, type World } from "../../world.ts";

const runOf = (world: World, id: string) => world.journal.run("app", id);
const inDays = (world: World, days: number) => plus(world.now(), days * day);
const origin = { by: "ben", reason: "eva stays", ticket: "HR-8" };

function cancel(world: World, rotationId: string, key?: string) {
  const input = { rotationId, origin, key: key === undefined ? undefined : keyed(key, rotationId) };
  return cancelRotation(world.ports(open), world.target, input);
}

/** Does something once, before the worker's first effect of this name. */
function before(effect: string, act: () => Promise<unknown>): Gate {
  let isDone = false;
  return async (name, call) => {
    if (name === effect && !isDone) {
      isDone = true;
      await act();
    }
    return call();
  };
}

test("A cancelled rotation never begins, its history says who cancelled it, and the other dates stay", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 3);
  const id = await request(world, { notBefore });
  const other = await request(world, { notBefore: inDays(world, 5) });
  expect(await cancel(world, id)).toEqual({
    ...{ rotationId: id, notBefore, requestedBy: "test" },
    why: `The rotation that test scheduled for ${notBefore} is cancelled.`,
  });
  const cancelledAt = world.now();
  expect((await readRecord(world)).dated).toMatchObject([{ rotationId: other }]);
  await workFor(world, 4 * day);
  expect(world.applied.size).toBe(0);
  expect(await runOf(world, id)).toMatchObject({
    state: "cancelled",
    why: expect.stringMatching(
      /^cancelled by ben; reason: eva stays; ticket: HR-8; .*scheduled for/,
    ) as string,
    endedAt: cancelledAt,
  });
  await workFor(world, 2 * day);
  expect((await runOf(world, other))?.state).toBe("done");
});

test("The ledger has who cancelled a rotation, why, and whose it was", async () => {
  const world = await adopted(singleAdmin);
  const notBefore = inDays(world, 3);
  const id = await request(world, { notBefore });
  await cancel(world, id);
  expect((await readLedger(world.journal)).at(-1)).toMatchObject({
    ...{ ...origin, action: "rotation.cancel", outcome: "accepted", cause: "operator" },
    ...{ targets: ["app"], rotations: [id], detail: `scheduled for ${notBefore} by test` },
  });
});

test("The last date that is cancelled leaves no trace in the record, and makes room for another", async () => {
  const world = await adopted(singleAdmin);
  const ids = [];
  for (let days = 1; days <= 5; days++) {
    ids.push(await request(world, { notBefore: inDays(world, days) }));
  }
  await cancel(world, ids[2] ?? "");
  await request(world, { notBefore: inDays(world, 9) });
  for (const { rotationId } of (await readRecord(world)).dated ?? []) {
    await cancel(world, rotationId);
  }
  expect(await readRecord(world)).not.toHaveProperty("dated");
});

test("A rotation that is queued, under way, or over is not cancelled, and the refusal says what it is", async () => {
  const world = await adopted(singleAdmin);
  const refusal = async (id: string) => {
    const found = await cancel(world, id);
    return found && "refused" in found ? found.refused : found;
  };
  const queued = await request(world);
  expect(await refusal(queued)).toContain(`rotation ${queued} is queued and starts as soon`);
  let running: unknown;
  const during = before("target.apply", async () => (running = await refusal(queued)));
  await work(world, during);
  expect(running).toContain("is under way");
  const { endedAt = "" } = (await runOf(world, queued)) ?? {};
  expect(await refusal(queued)).toContain(`ended successfully at ${endedAt}`);
  const dated = await request(world, { notBefore: inDays(world, 1) });
  const cancelledAt = world.now();
  await cancel(world, dated);
  world.advance(minute);
  expect(await refusal(dated)).toBe(
    `rotation ${dated} was cancelled at ${cancelledAt}. Only a rotation that waits for its date can be cancelled`,
  );
  expect(await refusal("01JQ0000000000000000000000")).toBeUndefined();
});

test("A cancellation with a key takes effect once and has the same answer", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world, { notBefore: inDays(world, 1) });
  const first = await cancel(world, id, "leaver-7");
  expect(await cancel(world, id, "leaver-7")).toEqual(first);
  const entries = await readLedger(world.journal);
  expect(entries.filter(({ action }) => action === "rotation.cancel")).toHaveLength(1);
});

test("A worker that holds the target does not bring a cancelled rotation back", async () => {
  const world = await adopted(singleAdmin);
  const id = await request(world, { notBefore: inDays(world, 1) });
  const other = await request(world, { notBefore: inDays(world, 2) });
  await request(world);
  // Two races of the same write: the second one must not bring back what the first one has lost.
  let races = 0;
  await work(world, async (effect, call) => {
    if (effect === "journal.commit" && world.applied.size === 1 && races < 2) {
      await cancel(world, [id, other][races++] ?? "");
    }
    return call();
  });
  expect(races).toBe(2);
  expect(world.applied.size).toBe(1);
  expect(await readRecord(world)).not.toHaveProperty("dated");
  await workFor(world, 3 * day);
  expect(world.applied.size).toBe(1);
  expect((await runOf(world, id))?.state).toBe("cancelled");
  expect((await runOf(world, other))?.state).toBe("cancelled");
});

test("A worker that begins a rotation at its date does not begin it if somebody has just cancelled it", async () => {
  const world = await adopted(singleAdmin);
  const soon = plus(world.now(), minute);
  const { rotationId } = await ask(world, { notBefore: soon });
  world.advance(2 * minute);
  let commits = 0;
  // The check for drift writes the claim, so the start is a later write of the same worker.
  const gate: Gate = async (effect, call) => {
    if (effect === "journal.commit" && ++commits === 2) await cancel(world, rotationId);
    return call();
  };
  await work(world, gate, true);
  expect((await runOf(world, rotationId))?.state).toBe("cancelled");
  await workFor(world, hour);
  expect(world.applied.size).toBe(0);
  expect((await runOf(world, rotationId))?.state).toBe("cancelled");
  const { claim, rotation } = await readRecord(world);
  expect([claim.owner, rotation]).toEqual([undefined, undefined]);
});

test.each([0, 1])(
  "Whenever somebody cancels a rotation while a worker works, it is either cancelled or done, and the answer says which: %i",
  async (index) => {
    const states = new Set<unknown>();
    for (let number = 1; ; number++) {
      const world = await adopted(pairAdmin);
      // Both have the same date. The rotation of the first one answers the second one.
      const first = await request(world, { notBefore: inDays(world, 1) });
      const second = await request(world, { notBefore: inDays(world, 1), requestedBy: "eva" });
      const id = [first, second][index] ?? "";
      world.advance(day);
      let commits = 0;
      const answers: boolean[] = [];
      const gate: Gate = async (effect, call) => {
        if (effect === "journal.commit" && ++commits === number) {
          const answer = await cancel(world, id);
          answers.push(answer !== undefined && !("refused" in answer));
        }
        return call();
      };
      await work(world, gate, true);
      await workFor(world, hour);
      if (answers.length === 0) break;
      const run = await runOf(world, id);
      expect(run?.state, `write ${number}`).toBe(answers[0] ? "cancelled" : "done");
      expect(world.applied.size, `write ${number}`).toBe(1);
      expect(world.publishedWorks()).toBe(true);
      states.add(run?.state);
    }
    expect([...states]).toEqual(["cancelled", "done"]);
  },
);
