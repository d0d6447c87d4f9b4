import type { Freeze, Policy } from "../policy.ts";
import { parseDay, parseMoment } from "../windows/calendar.ts";
import { toSpan } from "../windows/freezes.ts";
import { isTimeZone } from "../windows/zone.ts";
import { type Problem, toProblem } from "./problem.ts";

/** Checks the freezes of a policy, without its other fields. */
export function checkFreezes({ freeze = [], timeZone = "UTC" }: Policy): Problem[] {
  const unreadable = freeze.flatMap(checkEdges);
  if (unreadable.length > 0 || !isTimeZone(timeZone)) return unreadable;
  const reversed = freeze.flatMap((one, index) =>
    toSpan(one, timeZone)
      ? []
      : [toProblem(["freeze", index, "to"], `must be after from (${one.from}), but is ${one.to}`)],
  );
  return [...reversed, ...contradictions(freeze, timeZone)];
}

function checkEdges(freeze: Freeze, index: number): Problem[] {
  return (["from", "to"] as const).flatMap((edge) => {
    const text = freeze[edge];
    if (parseDay(text) !== undefined || parseMoment(text) !== undefined) return [];
    const message = `must be a day such as 2026-12-20 or an instant such as 2026-12-20T18:00:00Z, but is ${text}`;
    return [toProblem(["freeze", index, edge], message)];
  });
}

/** Reports freezes that overlap and are lifted for different reasons: one allows a change that the other forbids. */
function contradictions(freezes: readonly Freeze[], zone: string): Problem[] {
  const all = freezes.map((freeze) => ({
    freeze,
    span: toSpan(freeze, zone),
    lifts: formatLifts(freeze),
  }));
  return all.flatMap((later, index) =>
    all.slice(0, index).flatMap((earlier) => {
      const [a, b] = [earlier.span, later.span];
      if (!a || !b || earlier.lifts === later.lifts) return [];
      const from = Math.max(a.from, b.from);
      if (from >= Math.min(a.to, b.to)) return [];
      const message = `is lifted for ${later.lifts}, but overlaps the freeze "${earlier.freeze.reason}", which is lifted for ${earlier.lifts}; lift both for the same reasons, or end one before the other begins`;
      const firstAt = new Date(from).toISOString();
      return [{ ...toProblem(["freeze", index], message), firstAt }];
    }),
  );
}

function formatLifts({ lift }: Freeze): string {
  return lift.length === 0 ? "no reason" : [...new Set(lift)].sort().join(" and ");
}
