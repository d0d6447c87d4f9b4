import { describe, expect, it } from "vitest";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import { compare } from "../../../shared/core/simulation/compare.ts";
import { renderComparisonJson } from "../../../shared/core/simulation/render-json.ts";
import { renderComparison } from "../../../shared/core/simulation/render-table.ts";
import { day, hour, plus } from "../../../shared/core/time.ts";
import { from, plan, target, to } from "./sample.ts";

describe("a comparison", () => {
  const before = plan(
    target("earlier", { every: 40 * day }),
    target("later", { every: 40 * day }),
    target("kept", { every: 40 * day }),
    target("manual", { manualOnly: true }),
    target("often", { every: 25 * day }),
    target("into", { every: 400 * day }),
    target("out", { every: 40 * day }),
    target("beyond", { every: 400 * day }),
    target("beyond-kept", { every: 400 * day }),
    target("loses", { every: 40 * day }),
    target("gets", { manualOnly: true }),
    target("removed", { every: 40 * day }),
    target("removed-manual", { manualOnly: true }),
    target("now", { every: 40 * day }),
    target("today", { every: day }),
  );
  const after = plan(
    target("earlier", { every: 35 * day + hour }),
    target("later", { every: 40 * day, days: ["sat"] }),
    target("kept", { every: 40 * day }),
    target("manual", { manualOnly: true }),
    target("often", { cron: "0 0 26 3 *" }),
    target("into", { every: 41 * day }),
    target("out", { every: 400 * day }),
    target("beyond", { every: 300 * day }),
    target("beyond-kept", { every: 400 * day }),
    target("loses", { manualOnly: true }),
    target("gets", { every: 400 * day }),
    target("new", { every: 41 * day }),
    target("new-manual", { manualOnly: true }),
    target("now", { every: 40 * day, headStart: 40 * day - hour }),
    target("today", { every: day }),
  );

  it("shows how an edit moves the next rotation, in the shown period or after it", () => {
    const comparison = compare(before, after, from);
    expect(
      comparison.differences.map(({ targetId, kind, countBefore, countAfter }) =>
        [targetId, kind, countBefore, countAfter].join(" "),
      ),
    ).toStrictEqual([
      "beyond earlier 0 0",
      "earlier earlier 1 1",
      "gets appears 0 0",
      "into earlier 0 1",
      "later later 1 1",
      "loses vanishes 1 0",
      "new appears 0 1",
      "new-manual appears 0 0",
      "now earlier 1 1440",
      "often same start 2 1",
      "out later 1 0",
      "removed vanishes 1 0",
      "removed-manual vanishes 0 0",
    ]);
    const difference = (id: string) =>
      comparison.differences.find(({ targetId }) => targetId === id);
    expect(difference("loses")).toStrictEqual({
      targetId: "loses",
      kind: "vanishes",
      before: "2026-04-10T00:00:00.000Z",
      countBefore: 1,
      countAfter: 0,
      why: "manualOnly is set, so only a request starts a rotation",
    });
    expect(difference("removed")?.why).toBe("is no longer configured");
    expect(difference("beyond")).toMatchObject({
      before: "2027-04-05T00:00:00.000Z",
      after: "2026-12-26T00:00:00.000Z",
    });
    expect(comparison.soon).toStrictEqual(["now"]);
    expect(comparison.unchanged).toBe(4);
    expect(comparison).toMatchObject({ from, to, rotationsBefore: 69, rotationsAfter: 1506 });
    expect(comparison.summary).toBe(
      "4 targets move earlier, 2 targets move later, 3 targets appear, 3 targets vanish, 1 target keeps its next rotation, but not the later rotations, 1 would rotate today, 4 unchanged",
    );
  });

  it("of a plan with itself finds no differences", () => {
    expect(compare(before, before, from)).toMatchObject({
      differences: [],
      soon: [],
      unchanged: 15,
      summary: "15 unchanged",
    });
  });

  it("counts a target as soon within a day from the beginning", () => {
    const at = (every: number) => plan(target("a", { every }));
    const soon = (one: number, other: number) => compare(at(one), at(other), from).soon;
    expect(soon(40 * day, day - 1)).toStrictEqual(["a"]);
    expect(soon(40 * day, day)).toStrictEqual([]);
    expect(soon(hour, day - 1)).toStrictEqual([]);
    expect(compare(plan(), at(hour), from).soon).toStrictEqual(["a"]);
  });

  it("mentions today only if today is the first day", () => {
    const at = (every: number) => plan(target("a", { every }));
    const summary = (now: string) => compare(at(40 * day), at(hour), now).summary;
    const today = "1 target moves earlier, 1 would rotate today, 0 unchanged";
    const first = "1 target moves earlier, 1 would rotate on the first day, 0 unchanged";
    expect(summary(from)).toBe(today);
    expect(summary(plus(from, day - 1))).toBe(today);
    expect(summary(plus(from, day))).toBe(first);
    expect(summary(plus(from, -1))).toBe(first);
  });

  it("counts several targets with the same kind of difference", () => {
    const two = (policy: Partial<Policy>) => plan(target("a", policy), target("b", policy));
    const summary = (one: Partial<Policy>, other: Partial<Policy>) =>
      compare(two(one), two(other), from).summary;
    const [early, late] = [{ every: 35 * day }, { every: 40 * day }];
    expect(summary(late, early)).toBe("2 targets move earlier, 0 unchanged");
    expect(summary(early, late)).toBe("2 targets move later, 0 unchanged");
    expect(summary({ manualOnly: true }, late)).toBe("2 targets appear, 0 unchanged");
    expect(summary(late, { manualOnly: true })).toBe("2 targets vanish, 0 unchanged");
    expect(summary({ every: 25 * day }, { cron: "0 0 26 3 *" })).toBe(
      "2 targets keep their next rotation, but not the later rotations, 0 unchanged",
    );
    expect(compare(plan(target("a", early)), plan(), from).summary).toBe(
      "1 target vanishes, 0 unchanged",
    );
    expect(compare(plan(), plan(target("a", early)), from).summary).toBe(
      "1 target appears, 0 unchanged",
    );
  });

  it("can be a table for people or JSON for programs", () => {
    const some = compare(
      plan(target("a", { every: 40 * day }), target("b", { manualOnly: true })),
      plan(target("a", { every: 35 * day + hour }), target("b", { every: 41 * day })),
      from,
    );
    const table = `1 target moves earlier, 1 target appears, 0 unchanged
2 rotations instead of 1 from 2026-03-01T00:00:00.000Z to 2026-05-01T00:00:00.000Z
TARGET  BEFORE                    AFTER                     CHANGE          COUNT  WHY
a       2026-04-10T00:00:00.000Z  2026-04-05T01:00:00.000Z  4d 23h earlier  1 > 1  policy test: due 841h after 2026-03-01T00:00:00.000Z
b       -                         2026-04-11T00:00:00.000Z  appears         0 > 1  policy test: due 41d after 2026-03-01T00:00:00.000Z
`;
    expect(renderComparison(some)).toBe(table);
    expect(renderComparison(some, ["late"])).toBe(`${table}\nWarnings:\n  late\n`);
    expect(JSON.parse(renderComparisonJson(some))).toStrictEqual(some);
    const warned: unknown = JSON.parse(renderComparisonJson(some, ["late"]));
    expect(warned).toStrictEqual({ ...some, warnings: ["late"] });
  });

  it("shows the shift of a rotation in minutes, or in seconds if it is shorter", () => {
    const moved = (by: number) =>
      renderComparison(
        compare(
          plan(target("a", { every: 40 * day })),
          plan(target("a", { every: 40 * day + by })),
          from,
        ),
      );
    expect(moved(day)).toContain(" 1d later ");
    expect(moved(-90_000)).toContain(" 2m earlier ");
    expect(moved(29_400)).toContain(" 29s later ");
    expect(moved(-59_000)).toContain(" 59s earlier ");
    expect(moved(24)).toContain(" 24ms later ");
    const sameStart = renderComparison(
      compare(
        plan(target("a", { every: 25 * day })),
        plan(target("a", { cron: "0 0 26 3 *" })),
        from,
      ),
    );
    expect(sameStart).toContain(" same start ");
  });
});
