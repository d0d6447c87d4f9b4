import { clockChanges } from "../policy/zone.ts";
import { hour } from "../time.ts";
import type { ClockChange, SimulatedRotation, SimulatedTarget } from "./plan.ts";

export function clockChangesFor(
  targets: readonly SimulatedTarget[],
  rotations: readonly SimulatedRotation[],
  from: number,
  to: number,
): ClockChange[] {
  const zones = new Set(targets.map(({ policy }) => policy.timeZone ?? "UTC"));
  return [...zones]
    .flatMap((timeZone) => clockChanges(timeZone, from, to).map((one) => ({ timeZone, ...one })))
    .sort((a, b) => a.at - b.at)
    .map(({ timeZone, at, before, after }) => ({
      timeZone,
      at: new Date(at).toISOString(),
      by: after - before,
      rotations: near(rotations, timeZone, at),
    }));
}

function near(rotations: readonly SimulatedRotation[], timeZone: string, at: number): number {
  return rotations.filter(
    (rotation) =>
      Math.abs(rotation.at - at) <= 12 * hour &&
      (rotation.target.policy.timeZone ?? "UTC") === timeZone,
  ).length;
}
