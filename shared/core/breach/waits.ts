import { shorten } from "../shorten.ts";
import type { Breach, BreachItem, Waits } from "./breach.ts";

const maxLength = 400;

/** The breach with what its targets that have begun wait for. */
export function withWaits(breach: Breach, begun: readonly BreachItem[]): Breach {
  const { waits: _, ...rest } = breach;
  const reasons = begun.flatMap(({ state, waitsFor }) =>
    state === "begun" && waitsFor !== undefined ? [waitsFor] : [],
  );
  const waits = summarizeWaits(reasons);
  return waits ? { ...rest, waits } : rest;
}

function summarizeWaits(reasons: readonly string[]): Waits | undefined {
  const groups = [...Map.groupBy(reasons, (why) => why)];
  const [most] = groups.toSorted(([, a], [, b]) => b.length - a.length);
  return most && { targets: reasons.length, why: shorten(most[0], maxLength) };
}
