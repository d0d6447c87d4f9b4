import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { chainEntries, newChain, type Segment } from "../../../shared/core/ledger/chain.ts";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import { day, minute } from "../../../shared/core/time.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { makeEntry } from "../../core/ledger/exports.ts";
import { makeApp, makeSigner, pair } from "./ledger-app.ts";
import { exportLedger } from "./read-ledger.ts";

const keys = [createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }))];

type App = Awaited<ReturnType<typeof makeApp>>;

/** An app with two signed segments of three entries each. */
async function makeSignedApp(signer = makeSigner()) {
  const app = await makeApp({ signer });
  for (let segments = 0; segments < 2; segments++) {
    await app.log(3);
    await app.keyturn.sweep();
    app.world.advance(minute);
  }
  return { ...app, signer };
}

const otherCaller = (entry: object, index: number) =>
  (index === 1 ? { ...entry, by: "mallory" } : entry) as never;

/** Stores segments as anyone can who writes to the table: without a signature, and as if they were anchored. */
async function store({ ledger }: Journal, segments: readonly Segment[], at: string) {
  for (const { head, entries } of segments) {
    const placed = entries.map((entry) => ({ ...entry, place: `place ${entry.sequence}` }));
    await ledger.add(head, placed);
    await ledger.clear(head.segment);
    await ledger.anchor(head.segment, { anchoredAt: at, toldTo: ["a"] });
  }
}

/** A table in which somebody has changed an entry and computed all hashes again. */
async function rewrite({ world, ledger }: App): Promise<Journal> {
  const honest = await ledger.segments(1, 100);
  const entries = honest.flatMap((segment) => segment.entries.map(({ entry }) => entry));
  const journal = makeMemoryJournal({
    now: () => new Date(world.now()),
    retentionMs: 30 * day,
  });
  const changed = entries.map((entry, index) => otherCaller(entry, index));
  await store(journal, chainEntries(newChain, changed.slice(0, 3), world.now()), world.now());
  const before = await journal.ledger.latest();
  if (!before) throw new Error("no segment");
  const start = { segment: 2, sequence: 3, hash: before.hash };
  await store(journal, chainEntries(start, changed.slice(3), world.now()), world.now());
  return journal;
}

const alarmsOf = async (journal: Journal) =>
  (await journal.alarms(9)).map(({ kind, message }) => [kind, message]);
const changedAlarm = [
  "ledger-failed",
  expect.stringMatching(/^The ledger was changed: it does not continue from entry 6 /) as string,
];

describe("a chain that somebody computed again", () => {
  test("Is not signed by an app that starts afterwards, because the key remembers its last head", async () => {
    const app = await makeSignedApp();
    const journal = await rewrite(app);
    const next = await makeApp({ journal, signer: app.signer });
    await journal.ledger.log([makeEntry("E99", { at: app.world.now() })]);
    for (let sweeps = 0; sweeps < 3; sweeps++) await next.keyturn.sweep();
    expect(await alarmsOf(journal)).toEqual([changedAlarm]);
    expect(app.signer.heads).toHaveLength(2);
    expect((await journal.ledger.latest())?.signature).toBeUndefined();
    expect(next.notifier.sent.map(({ type }) => type)).toEqual(["alarm"]);
    expect((await verifyLines(await exportLedger(journal), { keys })).signatures.valid).toBe(0);
  });

  test("Is noticed by a running app at the next sweep, also without a key and a new entry", async () => {
    const app = await makeApp({}, false);
    await app.log(3);
    await app.keyturn.sweep();
    await app.log(3);
    await app.keyturn.sweep();
    Object.assign(app.ledger, (await rewrite(app)).ledger);
    await app.keyturn.sweep();
    await app.keyturn.sweep();
    expect(await alarmsOf(app.journal)).toEqual([changedAlarm]);
  });

  test("Is not signed by a running app whose key may remember nothing", async () => {
    const app = await makeSignedApp(makeSigner(false));
    const forged = await rewrite(app);
    Object.assign(app.journal.ledger, forged.ledger);
    await forged.ledger.log([makeEntry("E99", { at: app.world.now() })]);
    await app.keyturn.sweep();
    expect(await alarmsOf(app.journal)).toEqual([changedAlarm]);
    expect(app.signer.heads).toHaveLength(2);
  });

  test("Is shown to nobody but in the alarm", async () => {
    const app = await makeSignedApp();
    const sent = app.notifier.sent.length;
    Object.assign(app.ledger, (await rewrite(app)).ledger);
    await app.log(1);
    await app.keyturn.sweep();
    expect(app.notifier.sent.slice(sent).map(({ type }) => type)).toEqual(["alarm"]);
  });

  test("Is not signed when only the columns of its first new entry fit the signed head", async () => {
    const app = await makeSignedApp();
    const signed = await app.ledger.latest();
    const journal = await rewrite(app);
    const segments = await journal.ledger.segments(1, 2);
    const [added] = chainEntries(
      { segment: 3, sequence: 6, hash: segments.at(-1)?.head.hash ?? "" },
      [makeEntry("E7")],
      app.world.now(),
    );
    if (!added || !signed) throw new Error("no segment");
    const entries = added.entries.map((entry) => ({ ...entry, previous: signed.hash }));
    await journal.ledger.add(
      added.head,
      entries.map((entry) => ({ ...entry, place: "p" })),
    );
    await (await makeApp({ journal, signer: app.signer })).keyturn.sweep();
    expect(await alarmsOf(journal)).toEqual([changedAlarm]);
  });

  test("Is not signed after its newest segments were removed", async () => {
    const app = await makeSignedApp();
    const journal = makeMemoryJournal({
      now: () => new Date(app.world.now()),
      retentionMs: 30 * day,
    });
    await store(journal, await app.ledger.segments(1, 1), app.world.now());
    await journal.ledger.log([makeEntry("E99", { at: app.world.now() })]);
    await (await makeApp({ journal, signer: app.signer })).keyturn.sweep();
    expect(await alarmsOf(journal)).toEqual([changedAlarm]);
    expect(app.signer.heads).toHaveLength(2);
  });

  test("Is not signed again with another time of its head", async () => {
    const app = await makeSignedApp();
    const journal = makeMemoryJournal({
      now: () => new Date(app.world.now()),
      retentionMs: 30 * day,
    });
    for (const { head, entries } of await app.ledger.segments(1, 2)) {
      const { segment, first, sequence, hash } = head;
      const placed = entries.map((entry) => ({ ...entry, place: "p" }));
      await journal.ledger.add({ segment, first, sequence, hash, at: app.world.now() }, placed);
      await journal.ledger.clear(segment);
    }
    await (await makeApp({ journal, signer: app.signer })).keyturn.sweep();
    expect(await alarmsOf(journal)).toEqual([changedAlarm]);
    expect(app.signer.heads).toHaveLength(2);
  });

  test("Keeps its old segments, which are evidence", async () => {
    const app = await makeSignedApp();
    Object.assign(app.journal.ledger, (await rewrite(app)).ledger);
    app.world.advance(40 * day);
    for (let sweeps = 0; sweeps < 3; sweeps++) await app.keyturn.sweep();
    expect((await app.ledger.start()).segment).toBe(1);
  });
});

describe("an honest chain", () => {
  test("Is signed by any instance after any other, however much was sealed meanwhile", async () => {
    const app = await makeSignedApp();
    const other = await makeApp({ journal: app.journal, signer: app.signer });
    for (let rounds = 0; rounds < 4; rounds++) {
      await app.log(rounds * 500);
      await (rounds % 2 ? app : other).keyturn.sweep();
      await Promise.all([app.log(2), app.keyturn.sweep(), other.keyturn.sweep()]);
      app.world.advance(minute);
    }
    await app.keyturn.sweep();
    expect(await app.journal.alarms(9)).toEqual([]);
    expect((await app.ledger.latest())?.signature).toBeDefined();
    const report = await verifyLines(await exportLedger(app.journal), { keys });
    expect(report.problem).toBeUndefined();
  });

  test("Is signed although another instance signs a newer head between two steps of this one", async () => {
    const app = await makeSignedApp();
    const { signer } = app;
    const other = await makeApp({ journal: app.journal, signer });
    const slow = await makeApp({
      journal: app.journal,
      signer: {
        async open() {
          await app.log(1);
          await other.keyturn.sweep();
          return signer.open();
        },
      },
    });
    await app.log(1);
    await slow.keyturn.sweep();
    expect(await app.journal.alarms(9)).toEqual([]);
    expect((await app.ledger.latest())?.signature).toBeDefined();
  });

  test("Goes on in an instance that slept while the retention removed what it knew", async () => {
    const app = await makeSignedApp(makeSigner(false));
    const other = await makeApp({ journal: app.journal, signer: app.signer });
    for (let days = 0; days < 80; days++) {
      app.world.advance(day);
      await app.log(1);
      await other.keyturn.sweep();
    }
    expect((await app.ledger.start()).segment).toBeGreaterThan(3);
    await app.log(1);
    await app.keyturn.sweep();
    expect(await app.journal.alarms(9)).toEqual([]);
    expect((await app.ledger.latest())?.signature).toBeDefined();
  });
});
