import { formatDuration, minute, toInstantAt } from "../../time.ts";
import { type Advice, chooseUnit, findAdvice, formatAdvice, roundUp } from "../due/advice.ts";
import type { Freeze, Policy } from "../policy.ts";
import { formatLocal } from "../windows/calendar.ts";
import { findOpenings } from "../windows/openings.ts";
import { attempt, type Effort, newEffort } from "./effort.ts";
import { type Problem, toProblem } from "./problem.ts";
import { type Held, isLate, type Tried, tryFreezes, tryWindows } from "./trials.ts";

/** Findings by hours. Many targets override single fields, but most of these policies have the same hours. */
const known = new Map<string, readonly Problem[]>();
const maxCached = 1000;

/** Simulates a policy for targets in different phases of the cycle, and reports late rotations. */
export function checkLateness(
  policy: Policy,
  from: number,
  effort: Effort = newEffort(),
): readonly Problem[] {
  const { every, headStart, manualOnly, days, between, at, cron, timeZone, freeze, spread } =
    policy;
  const hours = { every, headStart, manualOnly, days, between, at, cron, timeZone, freeze, spread };
  const key = JSON.stringify([from, hours]);
  const found = known.get(key) ?? attempt(effort, (own) => findLateness(policy, from, own))?.found;
  if (found === undefined) return [untried];
  if (known.size >= maxCached) known.clear();
  known.set(key, found);
  return found;
}

/** Very many policies, or policies with many freezes, must not prevent the app from starting. */
export const untried: Problem = {
  severity: "warning",
  path: [],
  message:
    "was not checked for late rotations, because it would take too many trials; use fewer freezes, or fewer policies and overrides with different hours",
};

function findLateness(policy: Policy, from: number, effort: Effort): Problem[] {
  if (!findOpenings(policy).first(from, from)) return [neverOpens(policy, from)];
  const tried = [...tryWindows(policy, from, effort)];
  const late = tried.filter((one) => isLate(policy, one));
  const held = byFreeze(tryFreezes(policy, from, effort));
  if (late.length === 0 && held.size === 0) return [];
  const attempted = attempt(effort, (own) => findAdvice(policy, from, own));
  const advice = attempted ? attempted.found : "not found";
  return [
    ...describeLateRotations(policy, late, tried.length, advice),
    ...[...held].flatMap(([freeze, rotations]) =>
      describeDelays(policy, freeze, rotations, advice),
    ),
  ];
}

function neverOpens(policy: Policy, from: number): Problem {
  const unfrozen = findOpenings({ ...policy, freeze: [] }).first(from, from);
  if (unfrozen === undefined)
    return toProblem([], "has no window that opens in the next ten years");
  return describeEndlessFreeze(policy, ["freeze"], Math.max(unfrozen.from, from));
}

function describeEndlessFreeze(policy: Policy, path: Problem["path"], first: number): Problem {
  const message = `blocks every change for ten years, the first one on ${local(policy, first)}`;
  return { ...toProblem(path, message), firstAt: toInstantAt(first) };
}

function byFreeze(rotations: Iterable<Held>): Map<Freeze, Held[]> {
  const found = new Map<Freeze, Held[]>();
  for (const one of rotations) found.set(one.freeze, [...(found.get(one.freeze) ?? []), one]);
  return found;
}

function describeLateRotations(
  policy: Policy,
  late: readonly Tried[],
  tried: number,
  advice: Advice | "not found" | undefined,
): Problem[] {
  const first = earliest(late);
  if (!first) return [];
  const how = late.length === tried ? "every rotation starts" : "some rotations start";
  const message = `is too short: ${how} up to ${longest(late)} after the due moment${toExample(policy, first)}; ${formatAdvice(advice)}`;
  const isLonger = typeof advice === "object" && advice.every !== undefined;
  const path = [isLonger ? "every" : "headStart"];
  return [{ severity: "warning", path, message, firstAt: toInstantAt(first.due) }];
}

function describeDelays(
  policy: Policy,
  freeze: Freeze,
  rotations: readonly Held[],
  advice: Advice | "not found" | undefined,
): Problem[] {
  const first = earliest(rotations);
  if (!first) return [];
  const path = ["freeze", (policy.freeze ?? []).indexOf(freeze)];
  if (first.by === Infinity) return [describeEndlessFreeze(policy, path, first.due)];
  const what = (policy.at ?? policy.cron) ? "an appointment" : "a window";
  const isFound = typeof advice === "object";
  const isWay = isFound && advice.every === undefined && !advice.apartFromFreezes;
  const way = isWay ? `; ${formatAdvice(advice)}` : "";
  const message = `delays rotations by up to ${longest(rotations)}, because it blocks ${what} that they need${toExample(policy, first)}${way}`;
  return [{ severity: "warning", path, message, firstAt: toInstantAt(first.due) }];
}

function earliest<One extends Tried>([head, ...rest]: readonly One[]): One | undefined {
  return rest.reduce((first, one) => (one.due < (first?.due ?? Infinity) ? one : first), head);
}

/** Returns an affected secret as an example. Without `every`, an appointment is due for every secret, so there is no example. */
function toExample(policy: Policy, { changedAt }: Tried): string {
  if (policy.every === undefined) return "";
  return ` (for example for a secret changed on ${local(policy, changedAt)})`;
}

/** Formats the longest delay, rounded up. */
function longest(rotations: readonly Tried[]): string {
  const most = rotations.reduce((worst, { by }) => Math.max(worst, by), 0);
  return formatDuration(roundUp(most, chooseUnit(most)));
}

function local({ timeZone = "UTC" }: Policy, moment: number): string {
  return formatLocal(Math.floor(moment / minute) * minute, timeZone);
}
