import { expect, test } from "vitest";
import { ChangeRefusedError } from "../../shared/core/errors.ts";
import type { KeyturnEvent } from "../../shared/core/events.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import { day, hour, minute } from "../../shared/core/time.ts";
import { makeOperations } from "../../shared/engine/operations.ts";
import { sweep } from "../../shared/engine/scheduling/sweep.ts";
import { type Journal, JournalUnavailableError } from "../../shared/stores/journal.ts";
import { makeMemoryJournal } from "../../shared/stores/memory/memory-journal.ts";
import { makeMemoryQueue } from "../../shared/stores/memory/memory-queue.ts";
import { type Queue, QueueUnavailableError } from "../../shared/stores/queue.ts";
import { quiet } from "../contract/journal/quiet.ts";
import { withPolicy } from "./policy-world.ts";
import { adopted, failing, request, rotate, work } from "./steps.ts";
import { open, singleAdmin } from "./world.ts";

const now = "2026-01-02T00:00:00.000Z";
const clock = () => new Date(now);

/** A journal with this many due targets, of which the earlier ones were removed from the configuration. */
async function dueOnes(gone: number, known: number) {
  const journal = makeMemoryJournal({ now: clock });
  for (let index = 0; index < gone + known; index++) {
    const id = index < gone ? `gone-${index}` : `known-${index}`;
    const wakeAt = index < gone ? "2026-01-01T00:00:00.000Z" : now;
    await journal.commit({ record: newRecord(id), etag: undefined, wakeAt });
  }
  const queue = makeMemoryQueue(() => now);
  const sent = await sweep({ journal, queue }, { isKnown: (id) => id.startsWith("known") });
  return { sent, messages: queue.messages.length };
}

test("Configured targets are found among any number of removed ones", async () => {
  expect(await dueOnes(2_500, 3)).toEqual({ sent: 3, messages: 3 });
});

test("A sweep sends a message for each of any number of due targets", async () => {
  expect(await dueOnes(1, 3_200)).toEqual({ sent: 3_200, messages: 3_200 });
});

/** A journal with this many due targets, a queue, and a clock. */
async function backlog(count: number) {
  let time = Date.parse(now);
  const journal = makeMemoryJournal({ now: () => new Date(time) });
  for (let index = 0; index < count; index++) {
    await journal.commit({ record: newRecord(`t-${index}`), etag: undefined, wakeAt: now });
  }
  const queue = makeMemoryQueue(() => new Date(time).toISOString());
  return {
    journal,
    queue,
    sweep: (of: Partial<{ journal: Journal; queue: Queue }> = {}) =>
      sweep({ journal, queue, ...of }, { isKnown: () => true }),
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

test("A backlog that lasts for a quarter of an hour costs one message for each target", async () => {
  const { sweep: sweepOnce, advance, queue } = await backlog(2_500);
  for (let minutes = 0; minutes < 15; minutes++) {
    await sweepOnce();
    advance(minute);
  }
  expect(queue.messages).toHaveLength(2_500);
});

test("A message that was lost, dropped or purged is sent again, after growing intervals", async () => {
  const { sweep: sweepOnce, advance, queue } = await backlog(1);
  const sentAfter: number[] = [];
  for (let minutes = 0; minutes < 6 * 60; minutes++) {
    if ((await sweepOnce()) > 0) sentAfter.push(minutes);
    queue.receive();
    advance(minute);
  }
  expect(sentAfter).toEqual([0, 15, 45, 105, 225, 345]);
});

test("A sweep that dies between sending and marking costs a second message, and one that cannot send loses none", async () => {
  const { sweep: sweepOnce, queue, journal } = await backlog(30);
  const dies = { ...journal, markSent: () => Promise.reject(new JournalUnavailableError("gone")) };
  await expect(sweepOnce({ journal: dies })).rejects.toThrow("gone");
  expect(queue.messages).toHaveLength(30);
  const full = { send: () => Promise.reject(new QueueUnavailableError("full")) };
  await expect(sweepOnce({ queue: full })).rejects.toThrow("full");
  expect(await sweepOnce()).toBe(30);
  expect(await sweepOnce()).toBe(0);
});

test("A target that was written since its message was sent is due again", async () => {
  const { sweep: sweepOnce, journal } = await backlog(1);
  await sweepOnce();
  const found = await journal.read("t-0");
  await journal.commit({ record: newRecord("t-0"), etag: found?.etag, wakeAt: now });
  expect(await sweepOnce()).toBe(1);
});

test("A request sends one message, and the next sweeps send none for it", async () => {
  const world = await adopted(singleAdmin);
  const { emit, ...ports } = world.ports(open);
  const queue = makeMemoryQueue(world.now);
  const targets = [world.target];
  const process = makeOperations({ ports, queue, targets, vaultAt: () => "main" })(emit);
  await process.request("app", { reason: "operator", requestedBy: "test" });
  expect(queue.messages).toHaveLength(1);
  expect(await process.sweep()).toBe(0);
  world.advance(15 * minute);
  expect(await process.sweep()).toBe(1);
});

test("A message is tried again in half a minute when the journal is unavailable", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const { emit, ...ports } = world.ports(open);
  const queue = makeMemoryQueue(world.now);
  const read = () => Promise.reject(new JournalUnavailableError("The journal's table is gone."));
  const targets = [world.target];
  const away = { ...ports, journal: { ...ports.journal, read } };
  await makeOperations({ ports: away, queue, targets, vaultAt: () => "main" })(emit).work({
    targetId: "app",
    because: "due",
  });
  expect(queue.receive()).toBeUndefined();
  world.advance(minute / 2);
  expect(queue.receive()).toMatchObject({ targetId: "app", because: "due" });
  const full = { send: () => Promise.reject(new QueueUnavailableError("full")) };
  const lost = makeOperations({ ports: away, queue: full, targets, vaultAt: () => "main" })(emit);
  await expect(lost.work({ targetId: "app", because: "due" })).rejects.toThrow("full");
});

test("Targets whose rows cannot be read neither starve the others nor flood the queue", async () => {
  const journal = makeMemoryJournal({ now: clock });
  for (let index = 0; index < 1_203; index++) {
    const id = `${index < 1_200 ? "newer" : "known"}-${index}`;
    const wakeAt = index < 1_200 ? "2026-01-01T00:00:00.000Z" : now;
    await journal.commit({ record: newRecord(id), etag: undefined, wakeAt });
  }
  const queue = makeMemoryQueue(() => now);
  const isReadable = (id: string) => !id.startsWith("newer");
  await sweep({ journal, queue }, { isKnown: () => true, isReadable });
  const ids = queue.messages.map(({ message }) => message.targetId);
  expect(ids.slice(0, 3)).toEqual(["known-1200", "known-1201", "known-1202"]);
  expect(ids).toHaveLength(53);
});

test("A sweep removes some old rows after it has sent its messages, and does not fail if that fails", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const { emit: _, ...ports } = world.ports(open);
  const queue = makeMemoryQueue(world.now);
  const order: string[] = [];
  const events: KeyturnEvent[] = [];
  const process = makeOperations({
    ports: {
      ...ports,
      journal: {
        ...ports.journal,
        prune: (limit) => {
          order.push(`prune ${limit}`);
          return Promise.reject(new JournalUnavailableError("The journal's table is gone."));
        },
      },
    },
    queue: {
      send: (message) => {
        order.push(`send ${message.targetId}`);
        return queue.send(message);
      },
    },
    targets: [world.target],
    vaultAt: () => "main",
  })((event) => events.push(event));
  expect(await process.sweep()).toBe(1);
  expect(order).toEqual(["send app", "prune 100"]);
  expect(events.filter(({ type }) => type !== "sealed")).toMatchObject([
    { type: "journal-unavailable", detail: "The journal's table is gone." },
  ]);
});

test("Sweeps remove history that is older than the retention, and keep the newest rotation", async () => {
  const world = await adopted(singleAdmin);
  const ids = [await rotate(world), await rotate(world)];
  world.advance(401 * day);
  const { emit, ...ports } = world.ports(open);
  const queue = makeMemoryQueue(world.now);
  const process = makeOperations({ ports, queue, targets: [world.target], vaultAt: () => "main" })(
    emit,
  );
  await process.sweep();
  expect((await world.journal.runs("app", 9)).map(({ rotationId }) => rotationId)).toEqual(
    ids.slice(1),
  );
});

test("Requests, exposures and their retries do not wait behind a backlog", async () => {
  const world = withPolicy(await adopted(singleAdmin), { afterExposure: hour });
  const { emit, ...ports } = world.ports(open);
  const [queue, firstQueue] = [makeMemoryQueue(world.now), makeMemoryQueue(world.now)];
  const of = { ports, queue, firstQueue, targets: [world.target], vaultAt: () => "main" };
  const keyturn = makeOperations(of)(emit);
  const taken = () => [queue.receive()?.because, firstQueue.receive()?.because];

  world.advance(91 * day);
  await keyturn.sweep();
  expect(taken()).toEqual(["due", undefined]);
  await work(world);

  await keyturn.request("app", { reason: "operator", requestedBy: "test" });
  expect(taken()).toEqual([undefined, "requested"]);
  await work(
    world,
    failing("target.apply", 1, () => new ChangeRefusedError("no")),
  );
  world.advance(12 * minute);
  await keyturn.sweep();
  expect(taken()).toEqual([undefined, "due"]);
  await work(world);

  await keyturn.expose("app", { by: "scanner", kind: "breach" });
  world.advance(hour);
  await keyturn.sweep();
  expect(taken()).toEqual([undefined, "due"]);
});

test("A heartbeat takes no room in a vault from rotations, and goes before no other target", async () => {
  const journal = makeMemoryJournal({ now: clock });
  await journal.commit({ record: quiet("quiet", now), etag: undefined, wakeAt: now });
  await journal.commit({ record: newRecord("due"), etag: undefined, wakeAt: now });
  const [queue, firstQueue] = [makeMemoryQueue(() => now), makeMemoryQueue(() => now)];
  const admitted: string[] = [];
  const admit = (targetId: string) => {
    admitted.push(targetId);
    return undefined;
  };
  expect(await sweep({ journal, queue, firstQueue }, { isKnown: () => true, admit })).toBe(1);
  expect([queue.receive()?.targetId, firstQueue.receive()]).toEqual(["quiet", undefined]);
  expect(new Set(admitted)).toEqual(new Set(["due"]));
});
