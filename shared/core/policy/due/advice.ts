import { day, formatDuration, hour, minute } from "../../time.ts";
import type { Effort } from "../checks/effort.ts";
import { isLate, tryFreezes, tryWindows } from "../checks/trials.ts";
import type { Policy } from "../policy.ts";

/** What would bring every rotation on time. It has been tried out: the check finds nothing more to warn of. */
export interface Advice {
  /** Absent: what it is. */
  readonly every?: number;
  readonly headStart: number;
  /** Freezes go on to hold rotations back. */
  readonly apartFromFreezes: boolean;
}

/** From when on policies are tried out, and how often. */
interface Trials {
  readonly from: number;
  readonly effort: Effort;
}

/** The shortest head start that is enough; failing that, a longer age for which there is one. */
export function adviceFor(policy: Policy, from: number, effort: Effort): Advice | undefined {
  const trials: Trials = { from, effort };
  const { every } = policy;
  return every === undefined
    ? undefined
    : (enough(policy, every, trials) ?? longer(policy, every, trials));
}

function enough(policy: Policy, every: number, trials: Trials): Advice | undefined {
  const headStart = shortest(policy, every, (tried) => isOnTime(tried, trials));
  if (headStart !== undefined) return { headStart, apartFromFreezes: false };
  if ((policy.freeze ?? []).length === 0) return undefined;
  const inWindows = shortest(policy, every, (tried) => meetsWindows(tried, trials));
  return inWindows === undefined ? undefined : { headStart: inWindows, apartFromFreezes: true };
}

/** Even as early as can be, rotations come late: the age is shorter than the windows lie apart. */
function longer(policy: Policy, every: number, trials: Trials): Advice | undefined {
  let worst = 0;
  const earliest = { ...policy, headStart: every - 1 };
  for (const { by } of tryWindows(earliest, trials.from, trials.effort)) {
    worst = Math.max(worst, by);
  }
  const least = every + worst;
  const unit = chooseUnit(least);
  for (const wanted of [least, least + unit, 1.5 * least, 2 * least]) {
    const age = roundUp(wanted, unit);
    const found = enough({ ...policy, every: age }, age, trials);
    if (found) return { every: age, ...found };
  }
  return undefined;
}

/** A longer head start never makes a rotation start later, so that halving finds the shortest one. */
function shortest(
  policy: Policy,
  every: number,
  isEnough: (policy: Policy) => boolean,
): number | undefined {
  const unit = chooseUnit(every);
  let least = Math.floor((policy.headStart ?? 0) / unit);
  let most = Math.ceil(every / unit) - 1;
  if (most < 1 || !isEnough({ ...policy, headStart: most * unit })) return undefined;
  while (least + 1 < most) {
    const middle = Math.floor((least + most) / 2);
    if (isEnough({ ...policy, headStart: middle * unit })) most = middle;
    else least = middle;
  }
  return most * unit;
}

function isOnTime(policy: Policy, trials: Trials): boolean {
  const { from, effort } = trials;
  return meetsWindows(policy, trials) && tryFreezes(policy, from, effort).next().done === true;
}

function meetsWindows(policy: Policy, { from, effort }: Trials): boolean {
  for (const tried of tryWindows(policy, from, effort)) if (isLate(policy, tried)) return false;
  return true;
}

/** People think of long times in days, of short ones in hours or minutes. */
export function chooseUnit(milliseconds: number): number {
  if (milliseconds > 4 * day) return day;
  return milliseconds > 2 * hour ? hour : minute;
}

/** Upwards: what is said is enough. */
export function roundUp(milliseconds: number, unit: number): number {
  return Math.ceil(milliseconds / unit) * unit;
}

/** Such as `headStart: 5d is enough`. */
export function adviceText(advice: Advice | "not found" | undefined): string {
  if (advice === "not found") return "it takes too many trials to find out what is enough";
  if (!advice) return "no headStart is enough";
  const { every, headStart, apartFromFreezes } = advice;
  const fields = `headStart: ${formatDuration(headStart)}`;
  const enough = apartFromFreezes ? "is enough apart from freezes" : "is enough";
  if (every === undefined) return `${fields} ${enough}`;
  return `no headStart shorter than every is enough; every: ${formatDuration(every)} with ${fields} ${enough}`;
}
