import { findClockChanges } from "../policy/windows/zone.ts";
import { hour } from "../time.ts";
import { itemsInStep, type Steps } from "../work-in-steps.ts";
import type { ClockChange, SimulatedRotation, SimulatedTarget } from "./model.ts";

/** Counts the rotations near clock changes. `rotations` are sorted by their start. */
export function* listClockChanges(
  targets: readonly SimulatedTarget[],
  rotations: readonly SimulatedRotation[],
  from: number,
  to: number,
): Steps<ClockChange[]> {
  const starts = new Map<string, number[]>(targets.map(({ policy }) => [findZone(policy), []]));
  for (const [index, { target, at }] of rotations.entries()) {
    starts.get(findZone(target.policy))?.push(at);
    if (index % itemsInStep === 0) yield;
  }
  const found: ClockChange[] = [];
  for (const [timeZone, moments] of starts) {
    for (const { at, before, after } of findClockChanges(timeZone, from, to)) {
      const near = countUpTo(moments, at + 12 * hour) - countUpTo(moments, at - 12 * hour - 1);
      found.push({ timeZone, at: new Date(at).toISOString(), by: after - before, rotations: near });
    }
    yield;
  }
  return found.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
}

function findZone({ timeZone = "UTC" }: SimulatedTarget["policy"]): string {
  return timeZone;
}

/** Counts the sorted moments that are not after this one. */
function countUpTo(moments: readonly number[], last: number): number {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((moments[middle] ?? Infinity) <= last) low = middle + 1;
    else high = middle;
  }
  return low;
}
