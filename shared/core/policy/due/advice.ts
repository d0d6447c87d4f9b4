import { day, formatDuration, hour, minute } from "../../time.ts";
import type { Effort } from "../checks/effort.ts";
import { isLate, tryFreezes, tryWindows } from "../checks/trials.ts";
import type { Policy } from "../policy.ts";

/** Changes to a policy that make every rotation start on time. They were simulated, so the check has no more warnings. */
export interface Advice {
  /** Absent: unchanged. */
  readonly every?: number;
  readonly headStart: number;
  /** Whether freezes still delay some rotations. */
  readonly apartFromFreezes: boolean;
}

/** The start of the simulations, and their remaining effort. */
interface Trials {
  readonly from: number;
  readonly effort: Effort;
}

/** Finds the shortest sufficient head start, or else a longer `every` for which there is one. */
export function findAdvice(policy: Policy, from: number, effort: Effort): Advice | undefined {
  const trials: Trials = { from, effort };
  const { every } = policy;
  return every === undefined
    ? undefined
    : (withHeadStart(policy, every, trials) ?? withLongerAge(policy, every, trials));
}

function withHeadStart(policy: Policy, every: number, trials: Trials): Advice | undefined {
  const headStart = findMinimum(policy, every, (tried) => isOnTime(tried, trials));
  if (headStart !== undefined) return { headStart, apartFromFreezes: false };
  if ((policy.freeze ?? []).length === 0) return undefined;
  const inWindows = findMinimum(policy, every, (tried) => meetsWindows(tried, trials));
  return inWindows === undefined ? undefined : { headStart: inWindows, apartFromFreezes: true };
}

/** Tries a longer `every`. Even the maximum head start is not enough if `every` is shorter than the time between windows. */
function withLongerAge(policy: Policy, every: number, trials: Trials): Advice | undefined {
  let worst = 0;
  const earliest = { ...policy, headStart: every - 1 };
  for (const { by } of tryWindows(earliest, trials.from, trials.effort)) {
    worst = Math.max(worst, by);
  }
  const minMs = every + worst;
  const unit = chooseUnit(minMs);
  for (const candidate of [minMs, minMs + unit, 1.5 * minMs, 2 * minMs]) {
    const age = roundUp(candidate, unit);
    const found = withHeadStart({ ...policy, every: age }, age, trials);
    if (found) return { every: age, ...found };
  }
  return undefined;
}

/** Finds the shortest sufficient head start by bisection, because a longer one never makes a rotation start later. */
function findMinimum(
  policy: Policy,
  every: number,
  isEnough: (policy: Policy) => boolean,
): number | undefined {
  const unit = chooseUnit(every);
  let low = Math.floor((policy.headStart ?? 0) / unit);
  let high = Math.ceil(every / unit) - 1;
  if (high < 1 || !isEnough({ ...policy, headStart: high * unit })) return undefined;
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough({ ...policy, headStart: middle * unit })) high = middle;
    else low = middle;
  }
  return high * unit;
}

function isOnTime(policy: Policy, trials: Trials): boolean {
  const { from, effort } = trials;
  return meetsWindows(policy, trials) && tryFreezes(policy, from, effort).next().done === true;
}

function meetsWindows(policy: Policy, { from, effort }: Trials): boolean {
  for (const tried of tryWindows(policy, from, effort)) if (isLate(policy, tried)) return false;
  return true;
}

/** Chooses the unit in which people state a time of this length. */
export function chooseUnit(milliseconds: number): number {
  if (milliseconds > 4 * day) return day;
  return milliseconds > 2 * hour ? hour : minute;
}

/** Rounds up, so that the suggested time is sufficient. */
export function roundUp(milliseconds: number, unit: number): number {
  return Math.ceil(milliseconds / unit) * unit;
}

/** Formats advice such as `use headStart: 5d`. */
export function formatAdvice(advice: Advice | "not found" | undefined): string {
  if (advice === "not found")
    return "a sufficient headStart was not computed, because it would take too many trials";
  if (!advice) return "no headStart is enough";
  const { every, headStart, apartFromFreezes } = advice;
  const fields = `headStart: ${formatDuration(headStart)}`;
  const limit = apartFromFreezes ? " (freezes still delay some rotations)" : "";
  if (every === undefined) return `use ${fields}${limit}`;
  return `no headStart shorter than every is enough; use every: ${formatDuration(every)} with ${fields}${limit}`;
}
