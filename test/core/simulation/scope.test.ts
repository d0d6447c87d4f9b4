import { describe, expect, it } from "vitest";
import { renderCalendar } from "../../../shared/core/simulation/calendar-file.ts";
import { compare } from "../../../shared/core/simulation/compare.ts";
import { renderComparisonAs, renderPlan } from "../../../shared/core/simulation/render.ts";
import { renderComparisonJson, renderJson } from "../../../shared/core/simulation/render-json.ts";
import { renderComparison, renderTable } from "../../../shared/core/simulation/render-table.ts";
import { simulateTargets } from "../../../shared/core/simulation/scope.ts";
import { day, plus } from "../../../shared/core/time.ts";
import { target as configured } from "../orders.ts";
import { from, plan, target, to } from "./sample.ts";

const targets = ["orders", "orders-eu", "billing"].map((id) => ({
  ...configured,
  id,
  policy: { ...configured.policy, every: 40 * day },
}));
const changed = plus(from, -10 * day);
const knowledge = {
  now: from,
  factsOf: (id: string) => (id === "billing" ? undefined : { changedAt: changed }),
  serverOf: ({ id }: { readonly id: string }) => `${id}.example`,
};

describe("a plan of configured targets", () => {
  it("covers all targets for a hundred days from now, with the known facts", () => {
    const { rotations, ...rest } = simulateTargets(targets, {}, knowledge);
    expect(rest).toMatchObject({ from, to: plus(from, 100 * day) });
    expect(
      rotations.map(({ target: { id, server, vault }, at }) => [
        id,
        server,
        vault,
        at - Date.parse(from),
      ]),
    ).toMatchObject([
      ["orders", "orders.example", "main", 30 * day],
      ["orders-eu", "orders-eu.example", "main", 30 * day],
      // An unknown target counts as adopted now.
      ["billing", "billing.example", "main", 40 * day],
      ["orders", "orders.example", "main", expect.any(Number)],
      ["orders-eu", "orders-eu.example", "main", expect.any(Number)],
      ["billing", "billing.example", "main", expect.any(Number)],
    ]);
  });

  it("covers the requested targets and period, with the requested limits", () => {
    const begin = plus(from, 31 * day);
    const asked = { from: begin, to: plus(begin, 10 * day), targets: "b*" };
    const shown = simulateTargets(targets, asked, knowledge);
    expect(shown).toMatchObject({ from: begin, to: plus(begin, 10 * day) });
    expect(shown.rotations.map((one) => one.target.id)).toStrictEqual(["billing"]);
    const later = simulateTargets(targets, { from: begin }, knowledge);
    expect(later.to).toBe(plus(begin, 100 * day));
    const together = { ...knowledge, serverOf: () => "db1" };
    expect(simulateTargets(targets, {}, together).collisions).toStrictEqual([]);
    const limited = simulateTargets(
      targets,
      { limits: { perServer: { count: 1, within: day } } },
      together,
    );
    expect(limited.collisions).not.toStrictEqual([]);
  });
});

describe("the output of a plan", () => {
  const some = plan(target("orders", { every: 20 * day }));
  const edited = plan(target("orders", { every: 10 * day }));

  it("is a table, JSON or a calendar, as requested", () => {
    expect(renderPlan(some, "text", to)).toBe(renderTable(some));
    expect(renderPlan(some, "json", to)).toBe(renderJson(some));
    expect(renderPlan(some, "ics", to)).toBe(renderCalendar(some, to));
  });

  it("is a table or JSON with the warnings for a comparison, which cannot be a calendar", () => {
    const comparison = compare(some, edited, from);
    const warnings = ["it would come late"];
    expect(renderComparisonAs(comparison, "json", warnings)).toBe(
      renderComparisonJson(comparison, warnings),
    );
    for (const format of ["text", "ics"] as const) {
      expect(renderComparisonAs(comparison, format, warnings)).toBe(
        renderComparison(comparison, warnings),
      );
    }
  });
});
