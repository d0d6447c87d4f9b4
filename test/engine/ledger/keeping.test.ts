import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import { day, hour, minute } from "../../../shared/core/time.ts";
import { makeMemoryNotifier } from "../../../shared/notifiers/memory-notifier.ts";
import { makeApp, pair } from "./ledger-app.ts";
import { exportLedger, readLedger } from "./read-ledger.ts";

describe("the newest head", () => {
  test("Is signed, sent to every notifier and logged, once", async () => {
    const { world, ledger, keyturn, signer, notifier, log } = await makeApp();
    await log(3);
    await keyturn.sweep();
    await keyturn.sweep();
    const head = await ledger.latest();
    if (!head) throw new Error("nothing was sealed");
    expect(head).toMatchObject({ sequence: 3, toldTo: ["a"], anchoredAt: world.now() });
    const { segment, first, sequence, hash, at, signature } = head;
    expect(signer.heads).toEqual([{ segment, first, sequence, hash, at }]);
    expect(notifier.sent).toEqual([
      {
        id: `ledger/1/${hash.slice(0, 16)}`,
        type: "ledger.sealed",
        targetId: "keyturn",
        at,
        data: {
          ...{ segment, first, sequence, hash, at },
          key: signature?.key,
          signature: signature?.value,
        },
      },
    ]);
    expect(world.events.filter(({ type }) => type === "sealed")).toMatchObject([
      { detail: `segment 1, entries 1 to 3, hash ${hash}` },
    ]);
  });

  test("Covers the segments before, so a backlog has one signature", async () => {
    const { journal, keyturn, signer, notifier, log } = await makeApp();
    await log(500);
    await keyturn.sweep();
    expect(signer.heads).toHaveLength(1);
    expect(notifier.sent).toHaveLength(1);
    const keys = [createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }))];
    const report = await verifyLines(await exportLedger(journal), { keys });
    expect(report).toMatchObject({ signatures: { valid: 1, through: 500 }, last: 500 });
    expect(report.problem).toBeUndefined();
  });

  test("Is tried again by the next sweep, and only where it failed; sealing goes on meanwhile", async () => {
    const [notifier, other] = [makeMemoryNotifier("a"), makeMemoryNotifier("b")];
    const { world, ledger, keyturn, signer, log } = await makeApp({ notifiers: [notifier, other] });
    Object.assign(notifier, { broken: true });
    signer.isDown = true;
    await log();
    await keyturn.sweep();
    expect(await ledger.latest()).toMatchObject({ toldTo: ["b"] });
    expect((await ledger.latest())?.anchoredAt).toBeUndefined();
    expect(world.events.map(({ type }) => type)).toContain("ledger-failed");
    expect(await ledger.unsealed(1)).toEqual([]);
    Object.assign(notifier, { broken: false });
    await keyturn.sweep();
    expect(await ledger.latest()).toMatchObject({ toldTo: ["a", "b"] });
    expect((await ledger.latest())?.anchoredAt).toBeUndefined();
    signer.isDown = false;
    await keyturn.sweep();
    expect((await ledger.latest())?.anchoredAt).toBe(world.now());
    expect(notifier.sent).toHaveLength(1);
    expect(other.sent).toEqual(notifier.sent);
    expect(world.events.filter(({ type }) => type === "sealed")).toHaveLength(1);
  });

  test("Raises one alarm when it stays unsigned for an hour", async () => {
    const { world, journal, keyturn, signer, log } = await makeApp();
    signer.isDown = true;
    await log();
    await keyturn.sweep();
    expect(await journal.alarms(9)).toEqual([]);
    world.advance(hour + minute);
    await keyturn.sweep();
    await keyturn.sweep();
    expect(await journal.alarms(9)).toMatchObject([
      {
        kind: "ledger-failed",
        message: expect.stringContaining("Key Vault main is down.") as string,
      },
    ]);
  });

  test("Raises the alarm although new heads keep coming, and although the process changes", async () => {
    const { world, journal, keyturn, signer, log } = await makeApp();
    const other = await makeApp({ journal });
    signer.isDown = true;
    other.signer.isDown = true;
    for (let minutes = 0; minutes < 60; minutes++) {
      await log();
      await (minutes < 30 ? keyturn : other.keyturn).sweep();
      world.advance(minute);
    }
    expect(await journal.alarms(9)).toEqual([]);
    await log();
    await other.keyturn.sweep();
    expect(await journal.alarms(9)).toMatchObject([{ kind: "ledger-failed" }]);
  });

  test("Has a whole hour again after it was signed", async () => {
    const { world, journal, keyturn, signer, log } = await makeApp();
    for (let minutes = 0; minutes < 100; minutes++) {
      signer.isDown = minutes !== 50;
      await log();
      await keyturn.sweep();
      world.advance(minute);
    }
    expect(await journal.alarms(9)).toEqual([]);
  });

  test("Needs neither a key nor a notifier: the log has it", async () => {
    const { world, ledger, keyturn, log } = await makeApp({ notifiers: [] }, false);
    await log();
    await keyturn.sweep();
    expect((await ledger.latest())?.anchoredAt).toBe(world.now());
    expect(world.events.map(({ type }) => type)).toContain("sealed");
  });
});

describe("retention", () => {
  test("Removes whole segments, records it, and leaves a chain that is valid from there", async () => {
    const { world, journal, ledger, keyturn, log } = await makeApp();
    for (let days = 0; days < 40; days++) {
      await log(days % 3 === 0 ? 40 : 1);
      await keyturn.sweep();
      world.advance(day);
    }
    for (let sweeps = 0; sweeps < 30; sweeps++) {
      await keyturn.sweep();
      world.advance(2 * hour);
    }
    const start = await ledger.start();
    expect(start.segment).toBeGreaterThan(8);
    const report = await verifyLines(await exportLedger(journal));
    expect(report.problem).toBeUndefined();
    expect(report.start).toEqual(start);
    const entries = await readLedger(journal);
    const trims = entries.filter(({ action }) => action === "ledger.trim");
    expect(trims.at(0)).toMatchObject({ by: "keyturn", outcome: "succeeded" });
    expect(trims.at(-1)?.detail).toContain(`to ${start.sequence}, which are older`);
    expect(trims.at(-1)?.detail).toContain(start.hash);
    const oldest = (await ledger.segments(start.segment, start.segment))[0]?.head.at ?? "";
    expect(oldest >= ledger.expiry()).toBe(true);
  });

  test("Leaves everything while the newest head is anchored nowhere", async () => {
    const { world, ledger, keyturn, signer, log } = await makeApp();
    signer.isDown = true;
    for (let count = 0; count < 3; count++) {
      await log();
      await keyturn.sweep();
    }
    world.advance(40 * day);
    await keyturn.sweep();
    expect((await ledger.start()).segment).toBe(1);
    signer.isDown = false;
    await keyturn.sweep();
    world.advance(2 * hour);
    await keyturn.sweep();
    expect((await ledger.start()).segment).toBeGreaterThan(1);
  });
});

describe("refusals", () => {
  const refused = {
    by: "anna",
    action: "rotation.request",
    why: "Target not found",
    target: "no-db",
  } as const;

  test("Are entries, which name the caller and the kind", async () => {
    const { world, journal, keyturn } = await makeApp();
    await keyturn.noteRefusal(refused);
    expect(await readLedger(journal)).toMatchObject([
      {
        ...{ by: "anna", action: "rotation.request", outcome: "refused", at: world.now() },
        ...{ detail: "Target not found", targets: ["no-db"] },
      },
    ]);
  });

  test("Are counted from the sixth of a minute on, for each caller and kind", async () => {
    const { world, journal, keyturn } = await makeApp();
    for (let count = 0; count < 300; count++) {
      await keyturn.noteRefusal(refused);
      if (count < 3) await keyturn.noteRefusal({ ...refused, by: "ben" });
      world.advance(100);
    }
    expect(await readLedger(journal)).toHaveLength(8);
    world.advance(minute);
    await keyturn.sweep();
    const entries = await readLedger(journal);
    expect(entries).toHaveLength(9);
    expect(entries.at(-1)).toMatchObject({
      by: "anna",
      detail: expect.stringMatching(
        /^Target not found: refused 295 more times from 2026-.* to 2026-/,
      ) as string,
    });
    await keyturn.noteRefusal(refused);
    expect(await readLedger(journal)).toHaveLength(10);
  });

  test("Cannot fill the ledger, however many callers there are", async () => {
    const { world, journal, keyturn } = await makeApp();
    for (let count = 0; count < 1_000; count++) {
      await keyturn.noteRefusal({ ...refused, by: `caller ${count}` });
    }
    expect(await readLedger(journal)).toHaveLength(50);
    world.advance(minute);
    await keyturn.noteRefusal(refused);
    const entries = await readLedger(journal);
    expect(entries).toHaveLength(52);
    expect(entries.find(({ by }) => by === "several callers")?.detail).toContain(
      "refused 950 more",
    );
  });

  test("Are counted while the journal is down, and change nothing for the caller", async () => {
    const { world, journal, keyturn } = await makeApp();
    const working = { ...journal.ledger };
    Object.assign(journal.ledger, { log: () => Promise.reject(new Error("down")) });
    await keyturn.noteRefusal(refused);
    Object.assign(journal.ledger, working);
    world.advance(minute);
    await keyturn.noteRefusal(refused);
    expect((await readLedger(journal)).map(({ detail }) => detail)).toEqual([
      expect.stringContaining("refused 1 more times"),
      "Target not found",
    ]);
  });

  test("Are kept until their entry is written, however often that fails", async () => {
    const { world, journal, keyturn } = await makeApp();
    const working = { ...journal.ledger };
    for (let count = 0; count < 8; count++) await keyturn.noteRefusal(refused);
    world.advance(minute);
    Object.assign(journal.ledger, { log: () => Promise.reject(new Error("down")) });
    await keyturn.sweep();
    world.advance(minute);
    await keyturn.noteRefusal(refused);
    world.advance(minute);
    await keyturn.sweep();
    Object.assign(journal.ledger, working);
    world.advance(minute);
    await keyturn.sweep();
    expect((await readLedger(journal)).map(({ detail }) => detail)).toEqual([
      ...Array.from({ length: 5 }, () => "Target not found"),
      expect.stringContaining("refused 4 more times"),
    ]);
  });

  test("Take a limited number of entries after a long outage of the journal", async () => {
    const { world, journal, keyturn } = await makeApp();
    const working = { ...journal.ledger };
    Object.assign(journal.ledger, { log: () => Promise.reject(new Error("down")) });
    for (let count = 0; count < 500; count++) {
      await keyturn.noteRefusal({ ...refused, by: `caller ${count}` });
      world.advance(minute / 10);
    }
    Object.assign(journal.ledger, working);
    world.advance(minute);
    await keyturn.sweep();
    const entries = await readLedger(journal);
    expect(entries).toHaveLength(51);
    const counts = entries.map(({ detail = "" }) => Number(/refused (\d+) more/.exec(detail)?.[1]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(500);
  });
});
