import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hour, plus } from "../../../../shared/core/time.ts";
import type { RequestKey } from "../../../../shared/engine/inbox/request-key.ts";
import { makeOperations, type Operations } from "../../../../shared/engine/operations.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { readLedger } from "../../ledger/read-ledger.ts";
import { adopted, keyed } from "../../steps.ts";
import { type Gate, open, singleAdmin, type World } from "../../world.ts";

const until = "2026-01-05T00:00:00.000Z";
const everything = { filter: { type: "memory" } };
const pause = { reason: "move", by: "anna", until };
const freeze = { by: "anna", reason: "audit", until, lift: [], selection: {} };
const anna = { by: "anna" };

function makeProcess(world: World, gate: Gate = open): Operations {
  const ports = world.ports(gate);
  const queue = makeMemoryQueue(() => world.now());
  const targets = [world.target, { ...world.target, id: "other" }];
  return makeOperations({ ports, queue, targets, vaultAt: () => undefined })(ports.emit);
}

/** A request that changes something. `prepare`: what it needs first. */
interface Act {
  readonly prepare?: (process: Operations) => Promise<unknown>;
  readonly act: (process: Operations, key: RequestKey, freezeId: string) => Promise<unknown>;
}

const acts: Readonly<Record<string, Act>> = {
  "a rotation": {
    act: (process, key) => process.request("app", { reason: "operator", requestedBy: "anna", key }),
  },
  "a report of an exposure": {
    act: (process, key) => process.expose("app", { by: "anna", kind: "exposure" }, key),
  },
  "a report of a use": { act: (process, key) => process.recordUse("app", {}, key) },
  "a pause": { act: (process, key) => process.pause("app", pause, key) },
  "a resume": {
    prepare: (process) => process.pause("app", pause),
    act: (process, key) => process.resume("app", anna, key),
  },
  "pauses of many": { act: (process, key) => process.pauseAll(everything, pause, key) },
  "resumes of many": {
    prepare: (process) => process.pauseAll(everything, pause),
    act: (process, key) => process.resumeAll(everything, anna, key),
  },
  "a freeze": { act: (process, key) => process.freeze(freeze, key) },
  "the end of a freeze": {
    prepare: (process) => process.freeze(freeze),
    act: (process, key, freezeId) => process.endFreeze(freezeId, anna, key),
  },
};
const cases = Object.entries(acts);

async function begin({ prepare }: Act) {
  const world = await adopted(singleAdmin);
  await prepare?.(makeProcess(world));
  const freezeId = (await world.journal.freezes())[0]?.id ?? "none";
  return { world, freezeId };
}

/** Everything durable. Ids are numbered in their order, because a crash uses up some. */
async function readState(world: World): Promise<string> {
  const { records } = await world.journal.targets();
  const runs = await world.journal.runs("app", 50);
  const entries = (await readLedger(world.journal)).map(({ action, targets }) => [action, targets]);
  const state = { records, runs, freezes: await world.journal.freezes(), entries: entries.sort() };
  const ids: string[] = [];
  return JSON.stringify(state).replaceAll(/01TEST\d+|[0-9a-f]{32}/g, (id) => {
    if (!ids.includes(id)) ids.push(id);
    return `id-${ids.indexOf(id)}`;
  });
}

/** Whether the key is stored with the rows that the effect changes. */
async function isKnown({ journal }: World, { id }: RequestKey): Promise<boolean> {
  const places = ["app", "other", undefined].map((target) => journal.request(target, id));
  return (await Promise.all(places)).some((use) => use !== undefined);
}

const writes = ["journal.commit", "journal.freeze", "journal.keep"];

/** The process ends at the effect with this number. */
function stopAt(number: number, how: "before" | "after"): { gate: Gate; stopped: () => boolean } {
  let effects = 0;
  let isDead = false;
  const gate: Gate = async (effect, call) => {
    if (isDead) throw new Error("dead");
    if (!writes.includes(effect) || effects++ !== number) return call();
    isDead = true;
    if (how === "after") await call();
    throw new Error("dead");
  };
  return { gate, stopped: () => isDead };
}

const key = keyed("k");

describe.each(cases)("%s with a key", (_name, one) => {
  test.each(["before", "after"] as const)(
    "that ends %s any write takes effect once when it is repeated, and its key is never apart from it",
    async (how) => {
      const reference = await begin(one);
      const before = await readState(reference.world);
      await one.act(makeProcess(reference.world), key, reference.freezeId);
      const wanted = await readState(reference.world);
      expect(wanted).not.toBe(before);
      for (let number = 0; ; number++) {
        const { world, freezeId } = await begin(one);
        const { gate, stopped } = stopAt(number, how);
        await one.act(makeProcess(world, gate), key, freezeId).catch(() => undefined);
        if (!stopped()) break;
        const hasChanged = (await readState(world)) !== before;
        if (hasChanged) expect(await isKnown(world, key)).toBe(true);
        const answer = await one.act(makeProcess(world), key, freezeId);
        expect(await readState(world)).toBe(wanted);
        world.advance(hour);
        expect(await one.act(makeProcess(world), key, freezeId)).toEqual(withoutHint(answer));
        expect(await readState(world)).toBe(wanted);
      }
    },
  );

  test("takes effect once when many send it at the same time, and all get the same answer", async () => {
    const reference = await begin(one);
    await one.act(makeProcess(reference.world), key, reference.freezeId);
    const { world, freezeId } = await begin(one);
    const senders = Array.from({ length: 5 }, () => makeProcess(world));
    const answers = await Promise.all(senders.map((sender) => one.act(sender, key, freezeId)));
    for (const answer of answers) expect(withoutHint(answer)).toEqual(withoutHint(answers[0]));
    expect(await readState(world)).toBe(await readState(reference.world));
    const events = (of: World) =>
      of.events.filter(({ type }) => type === "paused" || type === "resumed").length;
    expect(events(world)).toBe(events(reference.world));
  });

  test("is refused for another request, and nothing changes", async () => {
    const { world, freezeId } = await begin(one);
    await one.act(makeProcess(world), key, freezeId);
    const after = await readState(world);
    const other = one.act(makeProcess(world), keyed("k", "another"), freezeId);
    await expect(other).rejects.toThrow("already used for a different request");
    expect(await readState(world)).toBe(after);
  });

  test("changes nothing while the journal is down, and works when it is back", async () => {
    const { world, freezeId } = await begin(one);
    const before = await readState(world);
    const down: Gate = () => Promise.reject(new JournalUnavailableError("down"));
    await expect(one.act(makeProcess(world, down), key, freezeId)).rejects.toThrow();
    expect(await readState(world)).toBe(before);
    expect(await isKnown(world, key)).toBe(false);
    await one.act(makeProcess(world), key, freezeId);
    expect(await readState(world)).not.toBe(before);
  });
});

/** `wakeAt` is a hint for the process that sends a message. */
function withoutHint(answer: unknown): unknown {
  const { wakeAt: _, ...rest } = Object(answer) as { wakeAt?: unknown };
  return rest;
}

test("Any sequence of requests with repetitions ends like the one without them", async () => {
  const step = fc.record({ act: fc.nat({ max: cases.length - 1 }), minutes: fc.nat({ max: 90 }) });
  const repeat = fc.record({ of: fc.nat({ max: 7 }), after: fc.nat({ max: 7 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.array(repeat, { maxLength: 12 }),
      async (steps, repeats) => {
        const plain = await play(steps, []);
        expect(await play(steps, repeats)).toBe(plain);
      },
    ),
    { numRuns: 60 },
  );
});

interface Repeat {
  readonly of: number;
  readonly after: number;
}

/** Sends the requests in order, each with a key of its own, and repeats earlier ones in between. */
async function play(
  steps: readonly { readonly act: number; readonly minutes: number }[],
  repeats: readonly Repeat[],
): Promise<string> {
  const world = await adopted(singleAdmin);
  const sent: (() => Promise<unknown>)[] = [];
  for (const [index, { act, minutes }] of steps.entries()) {
    world.advance(minutes * 60_000);
    const freezeId = (await world.journal.freezes()).at(-1)?.id ?? "none";
    const send = () =>
      cases[act]?.[1].act(makeProcess(world), keyed(`k${index}`), freezeId) ?? Promise.resolve();
    sent.push(send);
    await send();
    for (const { of } of repeats.filter(({ after }) => after === index)) await sent[of]?.();
  }
  return readState(world);
}

test("A repeated selection means the targets that it selected first", async () => {
  const world = await adopted(singleAdmin);
  const first = makeProcess(world);
  await first.pauseAll(everything, pause, key);
  const ports = world.ports(open);
  const targets = ["app", "other", "new"].map((id) => ({ ...world.target, id }));
  const queue = makeMemoryQueue(() => world.now());
  const deps = { ports, queue, targets, vaultAt: () => undefined };
  const later = makeOperations(deps)(ports.emit);
  const again = await later.pauseAll(everything, pause, key);
  expect("written" in again && again.written.map(({ target }) => target)).toEqual(["app", "other"]);
  expect(await world.journal.read("new")).toBeUndefined();
});

test("A pause that is repeated after its end gets its first answer, and pauses nothing", async () => {
  const world = await adopted(singleAdmin);
  const soon = { ...pause, until: plus(world.now(), hour) };
  const first = await makeProcess(world).pause("app", soon, key);
  world.advance(2 * hour);
  expect(await makeProcess(world).pause("app", soon, key)).toEqual(first);
  await expect(makeProcess(world).pause("app", soon)).rejects.toThrow("must be in the future");
  const many = { ...soon, until: world.now() };
  const refused = makeProcess(world).pauseAll(everything, many, keyed("m"));
  await expect(refused).rejects.toThrow("must be in the future");
  // A refused request does not use up its key.
  expect(await isKnown(world, keyed("m"))).toBe(false);
});
