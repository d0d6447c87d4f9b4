import { describeReason } from "../policy/due/explain.ts";
import type { Facts } from "../policy/due/facts.ts";
import type { Placement } from "../policy/due/placement.ts";
import type { Policy } from "../policy/policy.ts";
import type { Instant } from "../time.ts";

/** One target as the simulation needs it. */
export interface SimulatedTarget {
  readonly id: string;
  readonly policy: Policy;
  /** What the journal knows now. */
  readonly facts: Omit<Facts, "targetId">;
  readonly vault: string;
  /** Where the target is, if it is anywhere. */
  readonly server?: string;
}

/** A rotation that will happen. Moments in milliseconds since the epoch. */
export interface SimulatedRotation {
  readonly target: SimulatedTarget;
  readonly at: number;
  /** The change before it; what makes it the same rotation in two simulations. */
  readonly after: number | undefined;
  readonly placement: Placement;
}

/** A secret that is older than its policy allows, from `since` until it is changed or the simulation ends. */
export interface TooOld {
  readonly targetId: string;
  readonly since: Instant;
  readonly until: Instant;
}

export interface PlannedTarget {
  readonly id: string;
  /** The first rotation from `from` on, whether or not it starts before `to`; none for ten years when absent. */
  readonly next?: SimulatedRotation;
}

/** A policy, and how hard the passwords are to guess that it makes. */
export interface PolicyUse {
  readonly name: string;
  /** How many targets it applies to with these passwords. */
  readonly targets: number;
  readonly entropyBits: number;
}

export interface Simulation {
  readonly from: Instant;
  readonly to: Instant;
  readonly targets: readonly PlannedTarget[];
  readonly policies: readonly PolicyUse[];
  /** In the order in which they start. */
  readonly rotations: readonly SimulatedRotation[];
  readonly never: readonly { readonly targetId: string; readonly why: string }[];
  readonly tooOld: readonly TooOld[];
  readonly limits: Limits;
  readonly collisions: readonly Collision[];
  readonly clockChanges: readonly ClockChange[];
}

/** At most `count` in any `within` milliseconds. */
export interface Limit {
  readonly count: number;
  readonly within: number;
}

export interface Limits {
  /** Rotations that start on one server. */
  readonly perServer: Limit;
  /** Secret versions that are created in one vault. */
  readonly perVault: Limit;
}

/** A time in which more is wanted of a server or vault than it takes at once. */
export interface Collision {
  readonly kind: "server" | "vault";
  readonly name: string;
  readonly from: Instant;
  readonly to: Instant;
  /** The most that falls within the limit's time. */
  readonly most: number;
  readonly limit: number;
}

/** A moment at which the clocks of a zone change. */
export interface ClockChange {
  readonly timeZone: string;
  readonly at: Instant;
  /** Milliseconds; positive when clocks go forward. */
  readonly by: number;
  /** Rotations within half a day of it, of targets whose policy is in that zone. */
  readonly rotations: number;
}

/** Such as `policy nights: 90d after …, moved to the window on …`. */
export function describeWhy({ target, placement }: SimulatedRotation): string {
  return `policy ${target.policy.name}: ${describeReason(target.policy, placement)}`;
}
