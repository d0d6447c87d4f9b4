import { expect, test } from "vitest";
import type { KeyturnEvent } from "../../shared/core/events.ts";
import { newRecord } from "../../shared/core/rotation.ts";
import { day } from "../../shared/core/time.ts";
import { operations } from "../../shared/engine/operations.ts";
import { sweep } from "../../shared/engine/sweep.ts";
import { JournalUnavailableError } from "../../shared/stores/journal.ts";
import { memoryJournal } from "../../shared/stores/memory-journal.ts";
import { memoryQueue } from "../../shared/stores/memory-queue.ts";
import { adopted, request, rotate } from "./steps.ts";
import { open, singleAdmin } from "./world.ts";

const now = "2026-01-02T00:00:00.000Z";
const clock = () => new Date(now);

/** A journal in which so many targets are due; the earlier ones have left the configuration. */
async function dueOnes(gone: number, known: number) {
  const journal = memoryJournal({ now: clock });
  for (let index = 0; index < gone + known; index++) {
    const id = index < gone ? `gone-${index}` : `known-${index}`;
    const wakeAt = index < gone ? "2026-01-01T00:00:00.000Z" : now;
    await journal.commit({ record: newRecord(id), etag: undefined, wakeAt });
  }
  const queue = memoryQueue(() => now);
  const sent = await sweep({ journal, queue }, (id) => id.startsWith("known"));
  return { sent, messages: queue.messages.length };
}

test("however many targets have left the configuration, those in it are found", async () => {
  expect(await dueOnes(2_500, 3)).toEqual({ sent: 3, messages: 3 });
});

test("a sweep sends so many messages and leaves the others to the next one", async () => {
  expect(await dueOnes(1, 1_200)).toEqual({ sent: 1_000, messages: 1_000 });
});

test("targets whose rows cannot be read are passed on, and neither starve the others nor flood the queue", async () => {
  const journal = memoryJournal({ now: clock });
  for (let index = 0; index < 1_203; index++) {
    const id = `${index < 1_200 ? "newer" : "known"}-${index}`;
    const wakeAt = index < 1_200 ? "2026-01-01T00:00:00.000Z" : now;
    await journal.commit({ record: newRecord(id), etag: undefined, wakeAt });
  }
  const queue = memoryQueue(() => now);
  const isReadable = (id: string) => !id.startsWith("newer");
  await sweep({ journal, queue }, () => true, isReadable);
  const ids = queue.messages.map(({ message }) => message.targetId);
  expect(ids.slice(0, 3)).toEqual(["known-1200", "known-1201", "known-1202"]);
  expect(ids).toHaveLength(53);
});

test("a sweep removes some old rows, after it has sent its messages, and does not fail with that", async () => {
  const world = await adopted(singleAdmin);
  await request(world);
  const { emit: _, ...ports } = world.ports(open);
  const queue = memoryQueue(world.now);
  const order: string[] = [];
  const events: KeyturnEvent[] = [];
  const process = operations({
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
  expect(events).toMatchObject([
    { type: "journal-unavailable", detail: "The journal's table is gone." },
  ]);
});

test("sweeps remove history that is older than the retention, and keep the newest rotation", async () => {
  const world = await adopted(singleAdmin);
  const ids = [await rotate(world), await rotate(world)];
  world.advance(401 * day);
  const { emit, ...ports } = world.ports(open);
  const queue = memoryQueue(world.now);
  const process = operations({ ports, queue, targets: [world.target], vaultAt: () => "main" })(
    emit,
  );
  await process.sweep();
  expect((await world.journal.runs("app", 9)).map(({ rotationId }) => rotationId)).toEqual(
    ids.slice(1),
  );
});
