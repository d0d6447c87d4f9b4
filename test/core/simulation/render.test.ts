import { describe, expect, it } from "vitest";
import { renderJson } from "../../../shared/core/simulation/render-json.ts";
import { renderTable } from "../../../shared/core/simulation/render-table.ts";
import { day, hour } from "../../../shared/core/time.ts";
import { from, plan, target, to } from "./sample.ts";

const limits = "Limits: 10 rotations in 10s on a server, 300 new versions in 10s in a vault";

const twoTargets = [
  target("orders", { every: 30 * day }, { server: "db1" }),
  target("billing-db", { every: 31 * day, timeZone: "Europe/Vienna" }),
];

describe("the table", () => {
  it("lists rotations in their local time, with reasons", () => {
    expect(renderTable(plan(...twoTargets))).toBe(
      `3 rotations from ${from} to ${to}
WHEN                                TARGET      WHY
Tue 2026-03-31 00:00 UTC            orders      policy test: due 30d after 2026-03-01T00:00:00.000Z
Wed 2026-04-01 02:00 Europe/Vienna  billing-db  policy test: due 31d after 2026-03-01T00:00:00.000Z
Thu 2026-04-30 00:01 UTC            orders      policy test: due 30d after 2026-03-31T00:01:00.000Z

Clocks change:
  Europe/Vienna: 2026-03-29T01:00:00.000Z, 60 min forward, 0 rotations near it

Policies:
  test: 2 targets, passwords of 241 bits of entropy

${limits}
`,
    );
  });

  it("escapes control characters of the terminal", () => {
    const id = "or\u001b[2Jders\u202e";
    const text = renderTable(plan(target(id, { every: 20 * day })));
    expect(text).toContain(String.raw`or\u001b[2Jders\u202e`);
    expect(text).not.toMatch(/[^\P{C}\n]/u);
  });

  it("counts the rotations that it does not list", () => {
    const text = renderTable(plan(target("orders", { every: 20 * day })), 1);
    expect(text.split("\n")).toStrictEqual([
      `3 rotations from ${from} to ${to}`,
      "WHEN                      TARGET  WHY",
      "Sat 2026-03-21 00:00 UTC  orders  policy test: due 20d after 2026-03-01T00:00:00.000Z",
      "and 2 more",
      "",
      "Policies:",
      "  test: 1 target, passwords of 241 bits of entropy",
      "",
      limits,
      "",
    ]);
  });

  it("lists the problems of the plan", () => {
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

Limit exceeded:
  server db1: 11 at once, the limit is 10, 2026-04-20T00:00:00.000Z to 2026-04-20T00:00:00.000Z

Older than allowed:
  late: 2026-04-14T00:00:00.000Z to 2026-04-15T00:00:00.000Z

Never rotated:
  manual: manualOnly is set, so only a request starts a rotation

Clocks change:
  Australia/Lord_Howe: 2026-04-04T15:00:00.000Z, 30 min back, 0 rotations near it

Policies:
  test: 13 targets, passwords of 241 bits of entropy

${limits}
`);
  });

  it("of an empty plan shows that it is empty", () => {
    expect(renderTable(plan())).toBe(`0 rotations from ${from} to ${to}\n\n${limits}\n`);
    expect(renderTable(plan(target("a", { every: 50 * day })))).toMatch(/^1 rotation from/);
  });

  it("shows whole seconds", () => {
    const facts = { changedAt: "2026-03-01T00:00:07.123Z" };
    expect(renderTable(plan(target("a", { every: 50 * day }, { facts })))).toContain(
      "Mon 2026-04-20 00:00:07 UTC  a ",
    );
  });
});

describe("the plan for programs", () => {
  it("is JSON with the complete plan", () => {
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
          why: "policy test: due 30d after 2026-03-01T00:00:00.000Z",
        },
        {
          targetId: "billing-db",
          at: "2026-04-01T00:00:00.000Z",
          policy: "test",
          vault: "main",
          why: "policy test: due 31d after 2026-03-01T00:00:00.000Z",
        },
        expect.objectContaining({ targetId: "orders", at: "2026-04-30T00:01:00.000Z" }),
      ],
      never: [],
      tooOld: [],
      later: [],
      policies: [{ name: "test", targets: 2, entropyBits: 241 }],
      limits: {
        perServer: { count: 10, within: 10_000 },
        perVault: { count: 300, within: 10_000 },
      },
      collisions: [],
      clockChanges: [
        { timeZone: "Europe/Vienna", at: "2026-03-29T01:00:00.000Z", by: hour, rotations: 0 },
      ],
    });
  });

  it("lists first rotations after the end separately", () => {
    const late = target("late", { every: 300 * day });
    const read = JSON.parse(renderJson(plan(late, target("soon", { every: 50 * day })))) as {
      rotations: { targetId: string }[];
      later: unknown[];
    };
    expect(read.rotations.map(({ targetId }) => targetId)).toStrictEqual(["soon"]);
    expect(read.later).toStrictEqual([
      {
        targetId: "late",
        at: "2026-12-26T00:00:00.000Z",
        policy: "test",
        vault: "main",
        why: "policy test: due 300d after 2026-03-01T00:00:00.000Z",
      },
    ]);
  });
});
