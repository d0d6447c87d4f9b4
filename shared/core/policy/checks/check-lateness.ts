import { formatDuration, instantAt, minute } from "../../time.ts";
import { type Advice, adviceFor, adviceText, chooseUnit, roundUp } from "../due/advice.ts";
import type { Freeze, Policy } from "../policy.ts";
import { formatLocal } from "../windows/calendar.ts";
import { findOpenings } from "../windows/openings.ts";
import { attempt, type Effort, newEffort } from "./effort.ts";
import { type Problem, problem } from "./problem.ts";
import { type Held, isLate, type Tried, tryFreezes, tryWindows } from "./trials.ts";

/** What was found of policies of the same hours: many targets have single fields of their own, and mostly the same. */
const known = new Map<string, readonly Problem[]>();
const mostKept = 1000;

/** Tries a policy out on targets in different phases of the cycle, and reports what always or sometimes comes late. */
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
  if (known.size >= mostKept) known.clear();
  known.set(key, found);
  return found;
}

/** Policies without number, or with many freezes, must not keep an app from starting. */
export const untried: Problem = {
  severity: "warning",
  path: [],
  message:
    "was not tried out for rotations that come late: it would take too many trials; use fewer freezes, or fewer policies and overrides with hours of their own",
};

function findLateness(policy: Policy, from: number, effort: Effort): Problem[] {
  if (!findOpenings(policy).first(from, from)) return [neverOpens(policy, from)];
  const tried = [...tryWindows(policy, from, effort)];
  const late = tried.filter((one) => isLate(policy, one));
  const held = byFreeze(tryFreezes(policy, from, effort));
  if (late.length === 0 && held.size === 0) return [];
  const attempted = attempt(effort, (own) => adviceFor(policy, from, own));
  const advice = attempted ? attempted.found : "not found";
  return [
    ...comeLate(policy, late, tried.length, advice),
    ...[...held].flatMap(([freeze, rotations]) => holdsBack(policy, freeze, rotations, advice)),
  ];
}

function neverOpens(policy: Policy, from: number): Problem {
  const unfrozen = findOpenings({ ...policy, freeze: [] }).first(from, from);
  if (unfrozen === undefined) return problem([], "has no window that opens in the next ten years");
  return holdsAllBack(policy, ["freeze"], Math.max(unfrozen.from, from));
}

function holdsAllBack(policy: Policy, path: Problem["path"], first: number): Problem {
  const message = `holds back every change for ten years, first that of ${local(policy, first)}`;
  return { ...problem(path, message), firstAt: instantAt(first) };
}

function byFreeze(rotations: Iterable<Held>): Map<Freeze, Held[]> {
  const found = new Map<Freeze, Held[]>();
  for (const one of rotations) found.set(one.freeze, [...(found.get(one.freeze) ?? []), one]);
  return found;
}

function comeLate(
  policy: Policy,
  late: readonly Tried[],
  tried: number,
  advice: Advice | "not found" | undefined,
): Problem[] {
  const first = earliest(late);
  if (!first) return [];
  const how = late.length === tried ? "every rotation comes" : "some rotations come";
  const message = `is too short: ${how} up to ${longest(late)} after the due moment${toExample(policy, first)}; ${adviceText(advice)}`;
  const isLonger = typeof advice === "object" && advice.every !== undefined;
  const path = [isLonger ? "every" : "headStart"];
  return [{ severity: "warning", path, message, firstAt: instantAt(first.due) }];
}

function holdsBack(
  policy: Policy,
  freeze: Freeze,
  rotations: readonly Held[],
  advice: Advice | "not found" | undefined,
): Problem[] {
  const first = earliest(rotations);
  if (!first) return [];
  const path = ["freeze", (policy.freeze ?? []).indexOf(freeze)];
  if (first.by === Infinity) return [holdsAllBack(policy, path, first.due)];
  const what = (policy.at ?? policy.cron) ? "an appointment" : "a window";
  const isFound = typeof advice === "object";
  const isWay = isFound && advice.every === undefined && !advice.apartFromFreezes;
  const way = isWay ? `; ${adviceText(advice)}` : "";
  const message = `holds back ${what} that rotations need: they come up to ${longest(rotations)} late${toExample(policy, first)}${way}`;
  return [{ severity: "warning", path, message, firstAt: instantAt(first.due) }];
}

function earliest<One extends Tried>([head, ...rest]: readonly One[]): One | undefined {
  return rest.reduce((first, one) => (one.due < (first?.due ?? Infinity) ? one : first), head);
}

/** An appointment of cron that is due by itself is so for every secret. */
function toExample(policy: Policy, { changedAt }: Tried): string {
  if (policy.every === undefined) return "";
  return `, such as that of a secret changed on ${local(policy, changedAt)}`;
}

/** Rounded up. */
function longest(rotations: readonly Tried[]): string {
  const most = rotations.reduce((worst, { by }) => Math.max(worst, by), 0);
  return formatDuration(roundUp(most, chooseUnit(most)));
}

function local({ timeZone = "UTC" }: Policy, moment: number): string {
  return formatLocal(Math.floor(moment / minute) * minute, timeZone);
}
