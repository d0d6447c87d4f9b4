import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../../shared/core/policy.ts";
import { renderCalendar } from "../../../shared/core/simulation/calendar.ts";
import { defaultLimits } from "../../../shared/core/simulation/collisions.ts";
import { compare } from "../../../shared/core/simulation/compare.ts";
import { renderComparisonJson, renderJson } from "../../../shared/core/simulation/json.ts";
import type { SimulatedTarget } from "../../../shared/core/simulation/plan.ts";
import { simulate } from "../../../shared/core/simulation/simulate.ts";
import { renderComparison, renderTable } from "../../../shared/core/simulation/table.ts";
import { day, hour, plus } from "../../../shared/core/time.ts";
import { policyWith } from "../policy/sample.ts";

const from = "2026-03-01T00:00:00.000Z";
const to = "2026-05-01T00:00:00.000Z";
const madeAt = "2026-02-28T10:11:12.345Z";

function target(
  id: string,
  fields: Partial<Policy>,
  more: Partial<SimulatedTarget> = {},
): SimulatedTarget {
  return { id, policy: policyWith(fields), facts: { changedAt: from }, vault: "main", ...more };
}

function plan(...targets: SimulatedTarget[]) {
  return simulate(targets, from, to, defaultLimits);
}

/** Reads a calendar as RFC 5545 says: unfolds, splits, undoes the escapes. */
function readEvents(text: string): Record<string, string>[] {
  expect(text.endsWith("\r\n")).toBe(true);
  const lines = text.replaceAll("\r\n ", "").split("\r\n").slice(0, -1);
  const events: Record<string, string>[] = [];
  let event: Record<string, string> | undefined;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1)];
    if (line === "BEGIN:VEVENT") event = {};
    else if (line === "END:VEVENT") {
      if (event) events.push(event);
      event = undefined;
    } else if (event) {
      event[name] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    }
  }
  return events;
}

describe("the calendar", () => {
  it("is what RFC 5545 asks for", () => {
    const text = renderCalendar(
      plan(target("orders", { every: 40 * day }, { server: "db1" })),
      madeAt,
    );
    expect(text.split("\r\n")).toStrictEqual([
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:-//Keyturn//Plan of rotations//EN",
      "CALSCALE:GREGORIAN",
      "METHOD:PUBLISH",
      "X-WR-CALNAME:Keyturn rotations",
      "BEGIN:VEVENT",
      expect.stringMatching(/^UID:[0-9a-f]{32}@keyturn$/),
      "DTSTAMP:20260228T101112Z",
      "DTSTART:20260410T000000Z",
      "DURATION:PT15M",
      "SUMMARY:Rotate orders",
      "DESCRIPTION:policy test: 40d after 2026-03-01T00:00:00.000Z",
      "LOCATION:db1",
      "CATEGORIES:test",
      "TRANSP:TRANSPARENT",
      "END:VEVENT",
      "END:VCALENDAR",
      "",
    ]);
  });

  it("leaves out a place that is not known", () => {
    expect(renderCalendar(plan(target("orders", { every: 40 * day })), madeAt)).not.toContain(
      "LOCATION",
    );
  });

  it("gives a rotation the same UID however it moves, and no two of them the same", () => {
    const uids = (fields: Partial<Policy>, id = "orders") =>
      readEvents(renderCalendar(plan(target(id, fields)), madeAt)).map((event) => event["UID"]);
    const [first] = uids({ every: 40 * day });
    expect(uids({ every: 40 * day, days: ["sat"] })[0]).toBe(first);
    expect(uids({ every: 40 * day }, "other")[0]).not.toBe(first);
    const many = uids({ every: 5 * day });
    expect(new Set(many).size).toBe(many.length);
    expect(many.length).toBe(12);
    const unknown = readEvents(
      renderCalendar(plan(target("orders", { every: 40 * day }, { facts: {} })), madeAt),
    );
    expect(unknown[0]?.["UID"]).not.toBe(first);
  });

  it("reads back whatever the texts are, in lines of at most 75 octets", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", ",", ";", "\\", "é", "🔑", ":", "語", " "),
          maxLength: 120,
        }),
        (name) => {
          const text = renderCalendar(
            plan(target("orders", { name, every: 40 * day }, { server: name })),
            madeAt,
          );
          for (const line of text.split("\r\n")) {
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
            expect(line).not.toContain("\ufffd");
          }
          const [event] = readEvents(text);
          expect(event?.["CATEGORIES"]).toBe(name);
          expect(event?.["LOCATION"]).toBe(name);
        },
      ),
    );
  });

  it("fills its lines", () => {
    const text = renderCalendar(plan(target("x".repeat(200), { every: 40 * day })), madeAt);
    const summary = text.split("\r\n").findIndex((line) => line.startsWith("SUMMARY"));
    const lines = text.split("\r\n").slice(summary, summary + 3);
    expect(lines.map((line) => line.length)).toStrictEqual([75, 75, 67]);
    expect(lines.slice(1).every((line) => line.startsWith(" x"))).toBe(true);
  });

  it("keeps line ends and control characters of names out of its own lines", () => {
    const server = "a\r\nATTACH:evil\nb\rc\td\u0000e";
    const text = renderCalendar(plan(target("orders", { every: 40 * day }, { server })), madeAt);
    expect(text).toContain("LOCATION:a\\nATTACH:evil\\nb\\nc d e\r\n");
  });
});

const twoTargets = [
  target("orders", { every: 30 * day }, { server: "db1" }),
  target("billing-db", { every: 31 * day, timeZone: "Europe/Vienna" }),
];

describe("the table", () => {
  it("lists rotations in the time of their zone, with reasons", () => {
    expect(renderTable(plan(...twoTargets))).toBe(
      `3 rotations from ${from} to ${to}
WHEN                                TARGET      WHY
Tue 2026-03-31 00:00 UTC            orders      policy test: 30d after 2026-03-01T00:00:00.000Z
Wed 2026-04-01 02:00 Europe/Vienna  billing-db  policy test: 31d after 2026-03-01T00:00:00.000Z
Thu 2026-04-30 00:01 UTC            orders      policy test: 30d after 2026-03-31T00:01:00.000Z

Clocks change:
  Europe/Vienna: 2026-03-29T01:00:00.000Z, 60 min forward, 0 rotations near it
`,
    );
  });

  it("counts what it leaves out", () => {
    const text = renderTable(plan(target("orders", { every: 20 * day })), 1);
    expect(text.split("\n")).toStrictEqual([
      `3 rotations from ${from} to ${to}`,
      "WHEN                      TARGET  WHY",
      "Sat 2026-03-21 00:00 UTC  orders  policy test: 20d after 2026-03-01T00:00:00.000Z",
      "and 2 more",
      "",
    ]);
  });

  it("says what is wrong with the plan", () => {
    const many = Array.from({ length: 11 }, (_, index) =>
      target(`t${index}`, { every: 50 * day }, { server: "db1" }),
    );
    const text = renderTable(
      plan(
        ...many,
        target("manual", { manualOnly: true, timeZone: "Australia/Lord_Howe" }),
        target(
          "late",
          { every: 30 * day, days: ["wed"] },
          { facts: { changedAt: "2026-03-15T00:00:00.000Z" } },
        ),
      ),
      0,
    );
    expect(text).toBe(`12 rotations from ${from} to ${to}
and 12 more

Too much at once:
  server db1: 11 where 10 are allowed, 2026-04-20T00:00:00.000Z to 2026-04-20T00:00:00.000Z

Older than allowed:
  late: 2026-04-14T00:00:00.000Z to 2026-04-15T00:00:00.000Z

Never rotated:
  manual: only a person starts a rotation

Clocks change:
  Australia/Lord_Howe: 2026-04-04T15:00:00.000Z, 30 min back, 0 rotations near it
`);
  });

  it("of nothing says just that", () => {
    expect(renderTable(plan())).toBe(`0 rotations from ${from} to ${to}\n`);
    expect(renderTable(plan(target("a", { every: 50 * day })))).toMatch(/^1 rotation from/);
  });

  it("shows seconds but no fractions of them", () => {
    const facts = { changedAt: "2026-03-01T00:00:07.123Z" };
    expect(renderTable(plan(target("a", { every: 50 * day }, { facts })))).toContain(
      "Mon 2026-04-20 00:00:07 UTC  a ",
    );
  });
});

describe("the plan for programs", () => {
  it("is JSON with everything in it", () => {
    const read: unknown = JSON.parse(renderJson(plan(...twoTargets)));
    expect(read).toStrictEqual({
      targets: 2,
      from,
      to,
      rotations: [
        {
          targetId: "orders",
          at: "2026-03-31T00:00:00.000Z",
          policy: "test",
          vault: "main",
          server: "db1",
          why: "policy test: 30d after 2026-03-01T00:00:00.000Z",
        },
        {
          targetId: "billing-db",
          at: "2026-04-01T00:00:00.000Z",
          policy: "test",
          vault: "main",
          why: "policy test: 31d after 2026-03-01T00:00:00.000Z",
        },
        expect.objectContaining({ targetId: "orders", at: "2026-04-30T00:01:00.000Z" }),
      ],
      never: [],
      tooOld: [],
      collisions: [],
      clockChanges: [
        { timeZone: "Europe/Vienna", at: "2026-03-29T01:00:00.000Z", by: hour, rotations: 0 },
      ],
    });
  });
});

describe("a comparison", () => {
  const before = plan(
    target("earlier", { every: 40 * day }),
    target("later", { every: 40 * day }),
    target("gone", { every: 40 * day }),
    target("kept", { every: 40 * day }),
    target("manual", { manualOnly: true }),
    target("often", { every: 25 * day }),
    target("new", { every: 400 * day }),
    target("now", { every: 40 * day }),
    target("today", { every: day }),
  );
  const after = plan(
    target("earlier", { every: 35 * day + hour }),
    target("later", { every: 40 * day, days: ["sat"] }),
    target("gone", { manualOnly: true }),
    target("kept", { every: 40 * day }),
    target("manual", { manualOnly: true }),
    target("often", { cron: "0 0 26 3 *" }),
    target("new", { every: 41 * day }),
    target("now", { every: 40 * day, headStart: 40 * day - hour }),
    target("today", { every: day }),
  );

  it("says what an edit does, target by target", () => {
    const comparison = compare(before, after);
    expect(
      comparison.differences.map(({ targetId, kind, countBefore, countAfter }) =>
        [targetId, kind, countBefore, countAfter].join(" "),
      ),
    ).toStrictEqual([
      "earlier earlier 1 1",
      "gone vanishes 1 0",
      "later later 1 1",
      "new appears 0 1",
      "now earlier 1 1440",
      "often same start 2 1",
    ]);
    expect(comparison.differences[1]).toStrictEqual({
      targetId: "gone",
      kind: "vanishes",
      before: "2026-04-10T00:00:00.000Z",
      countBefore: 1,
      countAfter: 0,
      why: "no rotation in this time any more",
    });
    expect(comparison.soon).toStrictEqual(["now"]);
    expect(comparison.unchanged).toBe(3);
    expect(comparison.summary).toBe(
      "2 targets move earlier, 1 target moves later, 1 target moves into this time, 1 target moves out of this time, 1 target keeps its next rotation, not the later ones, 1 would rotate within a day, 3 unchanged",
    );
  });

  it("of a plan with itself finds nothing", () => {
    expect(compare(before, before)).toStrictEqual({
      differences: [],
      soon: [],
      unchanged: 9,
      summary: "9 unchanged",
    });
  });

  it("counts a target as soon up to a day after the beginning", () => {
    const at = (every: number) => plan(target("a", { every }));
    expect(compare(at(40 * day), at(day - 1)).soon).toStrictEqual(["a"]);
    expect(compare(at(40 * day), at(day)).soon).toStrictEqual([]);
    expect(compare(at(hour), at(day - 1)).soon).toStrictEqual([]);
  });

  it("counts several targets of a kind", () => {
    const two = (every: number) => plan(target("a", { every }), target("b", { every }));
    expect(compare(two(40 * day), two(35 * day)).summary).toBe(
      "2 targets move earlier, 0 unchanged",
    );
    expect(compare(two(55 * day), two(20 * day)).summary).toBe(
      "2 targets move earlier, 0 unchanged",
    );
    const same = (policy: Partial<Policy>) => plan(target("a", policy), target("b", policy));
    expect(compare(same({ every: 25 * day }), same({ cron: "0 0 26 3 *" })).summary).toBe(
      "2 targets keep their next rotation, not the later ones, 0 unchanged",
    );
  });

  it("is a table for people and JSON for programs", () => {
    const some = compare(
      plan(target("a", { every: 40 * day }), target("b", { every: 400 * day })),
      plan(target("a", { every: 35 * day + hour }), target("b", { every: 41 * day })),
    );
    expect(renderComparison(some))
      .toBe(`1 target moves earlier, 1 target moves into this time, 0 unchanged
TARGET  BEFORE                    AFTER                     CHANGE        COUNT  WHY
a       2026-04-10T00:00:00.000Z  2026-04-05T01:00:00.000Z  119h earlier  1 > 1  policy test: 841h after 2026-03-01T00:00:00.000Z
b       -                         2026-04-11T00:00:00.000Z  appears       0 > 1  policy test: 41d after 2026-03-01T00:00:00.000Z
`);
    expect(JSON.parse(renderComparisonJson(some))).toStrictEqual(some);
  });

  it("shows how far a rotation moves, to the minute", () => {
    const moved = (by: number) =>
      renderComparison(
        compare(
          plan(target("a", { every: 40 * day })),
          plan(target("a", { every: 40 * day + by })),
        ),
      );
    expect(moved(day)).toContain(" 1d later ");
    expect(moved(-90_000)).toContain(" 2m earlier ");
    expect(moved(plus(from, 0).length)).toContain(" 0ms later ");
    const sameStart = renderComparison(
      compare(plan(target("a", { every: 25 * day })), plan(target("a", { cron: "0 0 26 3 *" }))),
    );
    expect(sameStart).toContain(" same start ");
  });
});
