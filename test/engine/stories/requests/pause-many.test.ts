import { expect, test } from "vitest";
import { newRecord } from "../../../../shared/core/record/rotation.ts";
import type { Target } from "../../../../shared/core/target.ts";
import { day } from "../../../../shared/core/time.ts";
import { makePausing } from "../../../../shared/engine/inbox/pausing.ts";
import {
  type Journal,
  JournalUnavailableError,
  UnreadableRowError,
} from "../../../../shared/stores/journal.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { keyed } from "../../steps.ts";
import { makeWorld, open, singleAdmin } from "../../world.ts";

const wanted = { reason: "move", by: "anna", until: "2026-01-05T00:00:00.000Z" };

/** A fleet whose journal can fail for some targets. */
async function fleet(count: number, fail: (targetId: string, writes: number) => Error | undefined) {
  const world = await makeWorld(singleAdmin);
  const targets = Array.from({ length: count }, (_, index): Target => ({
    ...world.target,
    id: `t-${index}`,
    tags: { team: index % 2 === 0 ? "even" : "odd" },
  }));
  const seen = { atOnce: 0, most: 0, writes: 0, tried: 0 };
  const ports = world.ports(open);
  const journal: Journal = {
    ...ports.journal,
    read: async (id) => {
      seen.tried++;
      seen.most = Math.max(seen.most, ++seen.atOnce);
      await Promise.resolve();
      seen.atOnce--;
      return ports.journal.read(id);
    },
    commit: async (change) => {
      const error = fail(change.record.targetId, seen.writes++);
      if (error) throw error;
      return ports.journal.commit(change);
    },
  };
  const queues = {
    queue: makeMemoryQueue(() => world.now()),
    firstQueue: makeMemoryQueue(() => world.now()),
  };
  const byId = new Map(targets.map((target) => [target.id, target]));
  const messages = () => [queues.queue.messages.length, queues.firstQueue.messages.length];
  return { world, seen, messages, ...makePausing({ ...ports, journal }, byId, queues) };
}

const idsOf = (results: readonly { readonly target: string }[]) =>
  results.map(({ target }) => target);

test("A selection pauses many targets, a bounded number at a time, and a resume wakes the first 100 of them", async () => {
  const { world, pauseAll, resumeAll, seen, messages } = await fleet(1_000, () => undefined);
  const everyone = { filter: { type: "memory" } };
  const paused = await pauseAll(everyone, wanted);
  if ("unknown" in paused) throw new Error("targets are unknown");
  expect(paused.written).toHaveLength(1_000);
  expect(paused.notWritten).toEqual([]);
  expect(seen.most).toBeLessThanOrEqual(16);
  const again = await pauseAll(everyone, wanted);
  expect("written" in again && again.written.every(({ replaced }) => replaced)).toBe(true);
  expect(seen.writes).toBe(1_000);
  expect(messages()).toEqual([0, 0]);
  const resumed = await resumeAll(everyone, { by: "ben" });
  if ("unknown" in resumed) throw new Error("targets are unknown");
  expect(resumed.written.every((one) => one.resumed)).toBe(true);
  // A person waits for none of these in particular, and the sweep finds the others.
  expect(messages()).toEqual([100, 0]);
  expect(await world.journal.due(world.now(), 2_000)).toHaveLength(900);
});

test("A resume of one target, and of targets that go first, does not wait behind a backlog", async () => {
  const { world, pause, pauseAll, resume, resumeAll, messages } = await fleet(2, () => undefined);
  await pause("t-0", wanted);
  await resume("t-0", { by: "ben" });
  expect(messages()).toEqual([0, 1]);
  const found = await world.journal.read("t-1");
  const at = world.now();
  const request = { rotationId: "01R", reason: "operator", requestedBy: "eva", at } as const;
  await world.journal.commit({
    record: { ...(found?.record ?? newRecord("t-1")), request },
    ...{ etag: found?.etag, wakeAt: at },
  });
  await pauseAll({ targets: ["t-1"] }, wanted);
  await resumeAll({ targets: ["t-1"] }, { by: "ben" });
  expect(messages()).toEqual([0, 2]);
});

test("A selection is a list of ids or filters, and a mistake in it changes nothing", async () => {
  const { pauseAll, seen } = await fleet(4, () => undefined);
  expect(await pauseAll({ targets: ["t-1", "t-9", "x"] }, wanted)).toEqual({
    unknown: ["t-9", "x"],
  });
  await expect(pauseAll({ filter: { policy: "none" } }, wanted)).rejects.toThrow(
    "No target matches all filters of the selection",
  );
  await expect(
    pauseAll({ targets: ["t-1"] }, { ...wanted, until: "2025-01-01T00:00:00.000Z" }),
  ).rejects.toThrow("`until` must be in the future");
  expect(seen.writes).toBe(0);
  const odd = await pauseAll({ filter: { tags: [["team", "odd"]] } }, wanted);
  expect("written" in odd && idsOf(odd.written)).toEqual(["t-1", "t-3"]);
  const listed = await pauseAll({ targets: ["t-2", "t-0", "t-2"] }, wanted);
  expect("written" in listed && idsOf(listed.written)).toEqual(["t-0", "t-2"]);
});

test("An answer lists what was written before the journal became unavailable, and tries nothing more", async () => {
  const { pauseAll, seen } = await fleet(100, (_id, writes) =>
    writes >= 20 ? new JournalUnavailableError("down") : undefined,
  );
  const result = await pauseAll({ filter: { type: "memory" } }, wanted);
  if ("unknown" in result) throw new Error("targets are unknown");
  expect(result.written).toHaveLength(20);
  expect(result.notWritten).toHaveLength(80);
  expect(result.notWritten[0]?.why).toContain("the result is unknown");
  expect(result.notWritten.at(-1)?.why).toContain("not tried");
  expect(seen.tried).toBe(32);
});

test("A journal that is down from the start is an error, and a row that cannot be read concerns its target only", async () => {
  const down = await fleet(40, () => new JournalUnavailableError("down"));
  await expect(down.pauseAll({ filter: { type: "memory" } }, wanted)).rejects.toThrow("down");
  await expect(down.pause("t-1", wanted)).rejects.toThrow("down");
  const { pauseAll } = await fleet(3, (id) =>
    id === "t-1" ? new UnreadableRowError("A newer Keyturn wrote the row.", true) : undefined,
  );
  const result = await pauseAll({ filter: { type: "memory" } }, wanted);
  if ("unknown" in result) throw new Error("targets are unknown");
  expect(idsOf(result.written)).toEqual(["t-0", "t-2"]);
  expect(result.notWritten).toEqual([{ target: "t-1", why: "A newer Keyturn wrote the row." }]);
});

test("A key that one target knows from another request prevents only the write to that target", async () => {
  const everyone = { filter: { type: "memory" } };
  const { pause, resume, pauseAll, resumeAll } = await fleet(40, () => undefined);
  await pause("t-3", { ...wanted, reason: "only this" }, keyed("incident-7", "one"));
  const paused = await pauseAll(everyone, wanted, keyed("incident-7", "many"));
  if ("unknown" in paused) throw new Error("targets are unknown");
  expect(paused.written).toHaveLength(39);
  const why = "This Idempotency-Key was already used for a different request. Use a new key";
  expect(paused.notWritten).toEqual([{ target: "t-3", why }]);
  await resume("t-5", { by: "ben" }, keyed("incident-8", "one"));
  const resumed = await resumeAll(everyone, { by: "ben" }, keyed("incident-8", "many"));
  if ("unknown" in resumed) throw new Error("targets are unknown");
  expect(resumed.written).toHaveLength(39);
  expect(resumed.notWritten).toEqual([{ target: "t-5", why }]);
});

test("A repeated pause whose end has passed meanwhile names the targets that it did not pause before", async () => {
  const key = keyed("incident-7");
  const down = { now: true };
  const { world, pauseAll } = await fleet(20, (_id, writes) =>
    down.now && writes > 2 ? new JournalUnavailableError("down") : undefined,
  );
  await pauseAll({ filter: { type: "memory" } }, wanted, key);
  down.now = false;
  world.advance(5 * day);
  const repeated = await pauseAll({ filter: { type: "memory" } }, wanted, key);
  if ("unknown" in repeated) throw new Error("targets are unknown");
  expect(repeated.written).toHaveLength(3);
  expect(repeated.notWritten).toHaveLength(17);
  expect(repeated.notWritten[0]?.why).toContain("`until` must be in the future");
});
