import { describe, expect, it } from "vitest";
import type { Policy } from "../../../shared/core/policy.ts";
import { compare } from "../../../shared/core/simulation/compare.ts";
import { renderComparisonJson } from "../../../shared/core/simulation/json.ts";
import { renderComparison } from "../../../shared/core/simulation/table.ts";
import { day, hour, plus } from "../../../shared/core/time.ts";
import { from, plan, target } from "./sample.ts";

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
