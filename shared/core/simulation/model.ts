import { describeReason } from "../policy/due/explain.ts";
import type { Facts } from "../policy/due/facts.ts";
import type { Placement } from "../policy/due/placement.ts";
import type { Policy } from "../policy/policy.ts";
import { findFreeze } from "../policy/windows/freezes.ts";
import { describeJustification } from "../record/justification.ts";
import { describePause, type Force, type Pause } from "../record/pause.ts";
import type { DatedRequest } from "../record/record.ts";
import type { Instant } from "../time.ts";

/** The input of the simulation for one target. */
export interface SimulatedTarget {
  readonly id: string;
  readonly policy: Policy;
  /** The facts from the journal. */
  readonly facts: Omit<Facts, "targetId">;
  readonly vault: string;
  /** The server of the target, if it has one. */
  readonly server?: string;
  /** Milliseconds after which the system ends a secret that it has created. Absent: it ends none. */
  readonly lifetime?: number;
  /** Its values come from people, so Keyturn reminds people instead of starting a rotation. Absent: no. */
  readonly isFromPeople?: true;
  /** The pause in force when the facts were true. */
  readonly pause?: Pause;
  /** The force of the retry that the policy begins next. */
  readonly force?: Force;
  /** Rotations that people scheduled for a date, the first one first. */
  readonly dated?: readonly DatedRequest[];
}

/** A simulated rotation. Moments are in milliseconds since the epoch. */
export interface SimulatedRotation {
  readonly target: SimulatedTarget;
  readonly at: number;
  /** The previous change, which identifies the rotation across simulations. */
  readonly after: number | undefined;
  readonly placement?: Placement;
  /** The request that schedules it, if it is not the policy. */
  readonly dated?: DatedRequest;
  /** The pause that delays it. */
  readonly pause?: Pause;
}

/** A secret that is older than its policy allows, from `since` until it is changed or the simulation ends. */
export interface TooOld {
  readonly targetId: string;
  readonly since: Instant;
  readonly until: Instant;
}

export interface PlannedTarget {
  readonly id: string;
  /** The first rotation from `from` on, also if it starts after `to`. Absent if there is none in ten years. */
  readonly next?: SimulatedRotation;
}

/** A policy, and the entropy of its passwords. */
export interface PolicyUse {
  readonly name: string;
  /** The number of targets with this policy and these password rules. */
  readonly targets: number;
  readonly entropyBits: number;
}

export interface Simulation {
  readonly from: Instant;
  readonly to: Instant;
  readonly targets: readonly PlannedTarget[];
  readonly policies: readonly PolicyUse[];
  /** The rotations, sorted by their start. */
  readonly rotations: readonly SimulatedRotation[];
  readonly never: readonly { readonly targetId: string; readonly why: string }[];
  readonly tooOld: readonly TooOld[];
  readonly limits: Limits;
  readonly collisions: readonly Collision[];
  readonly clockChanges: readonly ClockChange[];
}

/** A limit of `count` in any `within` milliseconds. */
export interface Limit {
  readonly count: number;
  readonly within: number;
}

export interface Limits {
  /** The limit of rotations that start on one server. */
  readonly perServer: Limit;
  /** The limit of secret versions that are created in one vault. */
  readonly perVault: Limit;
}

/** A time in which rotations exceed the limit of a server or vault. */
export interface Collision {
  readonly kind: "server" | "vault";
  readonly name: string;
  readonly from: Instant;
  readonly to: Instant;
  /** The highest count within the time of the limit. */
  readonly most: number;
  readonly limit: number;
}

/** A moment at which the clocks of a zone change. */
export interface ClockChange {
  readonly timeZone: string;
  readonly at: Instant;
  /** The shift in milliseconds. Positive when clocks go forward. */
  readonly by: number;
  /** The number of rotations within half a day of it, of targets whose policy uses that zone. */
  readonly rotations: number;
}

/** Describes a rotation, such as `policy nights: due 90d after …; starts in the window from …`. */
export function describeWhy({ target, placement, dated, pause }: SimulatedRotation): string {
  const { policy } = target;
  if (dated || !placement) return describeDated(policy, dated);
  const frozen = describeFreeze(policy, placement);
  const paused = pause ? `; ${describePause(pause)}` : "";
  const due = target.isFromPeople ? "value due (people): " : "";
  return `${due}policy ${policy.name}: ${describeReason(policy, placement)}${frozen}${paused}`;
}

function describeDated({ name }: Policy, dated: DatedRequest | undefined): string {
  if (!dated) return `policy ${name}`;
  return `scheduled for ${dated.notBefore} by ${dated.requestedBy}${describeJustification(dated.justification)}`;
}

/** The freeze in which the rotation would have started, or that ends when it starts. */
function describeFreeze(policy: Policy, { rule, opening }: Placement): string {
  if (!policy.freeze || opening.from <= rule.from) return "";
  const moments = [rule.from, opening.from - 1].filter(Number.isFinite);
  const [freeze] = moments.flatMap(
    (moment) => findFreeze(policy.freeze ?? [], policy.timeZone ?? "UTC", moment, rule.lift) ?? [],
  );
  return freeze ? `; frozen until ${freeze.to} (${freeze.reason})` : "";
}
