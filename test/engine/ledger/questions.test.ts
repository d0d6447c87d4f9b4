import { describe, expect, test } from "vitest";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import { hour } from "../../../shared/core/time.ts";
import { makeEntry } from "../../core/ledger/exports.ts";
import { makeApp } from "./ledger-app.ts";

describe("questions", () => {
  test("Seal first, so that an answer has everything that happened before", async () => {
    const { keyturn, log } = await makeApp();
    expect(await keyturn.ledger({ limit: 5 })).toEqual({ entries: [] });
    expect(await keyturn.ledgerHead()).toBeUndefined();
    await log(2);
    expect((await keyturn.ledger({ limit: 5 })).entries.map(({ id }) => id)).toEqual(["E2", "E1"]);
    expect(await keyturn.ledgerHead()).toMatchObject({ segment: 1, sequence: 2 });
  });

  test("List every entry once, newest first, in pages of any size", async () => {
    const { keyturn, log } = await makeApp();
    for (let count = 0; count < 12; count++) {
      await log(count === 5 ? 150 : 3);
      await keyturn.sweep();
    }
    for (const limit of [1, 7, 100]) {
      const seen: number[] = [];
      let next: Parameters<typeof keyturn.ledger>[0]["before"];
      do {
        const page = await keyturn.ledger({ limit, ...(next && { before: next }) });
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        seen.push(...page.entries.map(({ sequence }) => sequence));
        next = page.next;
      } while (next);
      expect(seen).toEqual(Array.from({ length: 183 }, (_, index) => 183 - index));
    }
  });

  test("Filter by every field", async () => {
    const { world, ledger, keyturn } = await makeApp();
    world.advance(4 * hour);
    const at = (hours: number) => `2026-01-01T0${hours}:00:00.000Z`;
    await ledger.log([
      makeEntry("A", { at: at(1), by: "anna", targets: ["one"], rotations: ["R1"], ticket: "T1" }),
      makeEntry("B", { at: at(2), by: "ben", targets: ["one", "two"], outcome: "refused" }),
      makeEntry("C", { at: at(3), by: "anna", action: "target.pause" }),
    ]);
    const find = async (filter: object) =>
      (await keyturn.ledger({ limit: 9, filter })).entries.map(({ id }) => id).join("");
    expect(await find({})).toBe("CBA");
    expect(await find({ by: "anna" })).toBe("CA");
    expect(await find({ target: "one" })).toBe("BA");
    expect(await find({ target: "two" })).toBe("B");
    expect(await find({ action: "target.pause" })).toBe("C");
    expect(await find({ outcome: "refused" })).toBe("B");
    expect(await find({ rotation: "R1" })).toBe("A");
    expect(await find({ ticket: "T1" })).toBe("A");
    expect(await find({ since: at(2) })).toBe("CB");
    expect(await find({ until: at(2) })).toBe("A");
    expect(await find({ by: "anna", since: at(2) })).toBe("C");
  });

  test("Export parts that can be joined, and that begin and end with the segments of a period", async () => {
    const { world, keyturn, log } = await makeApp();
    for (let days = 0; days < 120; days++) {
      await log();
      await keyturn.exportLedger({});
      if (days % 8 === 0) world.advance(hour);
    }
    const lines: string[] = [];
    let next: number | undefined;
    let parts = 0;
    do {
      const part = await keyturn.exportLedger(next === undefined ? {} : { from: next });
      lines.push(...part.lines);
      [next, parts] = [part.next, parts + 1];
    } while (next !== undefined);
    expect(parts).toBe(3);
    expect(await verifyLines(lines)).toMatchObject({ entries: 120, last: 120 });
    expect((await verifyLines(lines)).problem).toBeUndefined();
    const at = (hours: number) =>
      new Date(Date.parse("2026-01-01T00:30:00.000Z") + hours * hour).toISOString();
    const period = await keyturn.exportLedger({ since: at(3), until: at(5) });
    const report = await verifyLines(period.lines);
    expect(report.problem).toBeUndefined();
    expect(report.start?.sequence).toBe(25);
    expect(report.last).toBe(42);
  });
});
