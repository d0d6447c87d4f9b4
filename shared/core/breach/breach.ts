import type { Origin } from "../record/justification.ts";
import type { Failure, Notification, recordSchema } from "../record/record.ts";
import type { VersionRef } from "../target.ts";
import type { TargetFilter } from "../target-filter.ts";
import type { Instant } from "../time.ts";

/** Which targets a breach concerns: a list, or every target that matches all conditions. */
export interface BreachSelection extends Pick<TargetFilter, "policy" | "type" | "vault" | "tags"> {
  readonly targets?: readonly string[] | undefined;
  /** The host of the target's server, or `host:port`. Upper and lower case are the same. */
  readonly host?: string | undefined;
  /** An identity that was reported to have seen the secret since its last change. */
  readonly exposedBy?: string | undefined;
}

/**
 * `preview`: nothing happens yet. `running`: rotations begin and end. `paused`: those that have begun end, and none begins.
 * `stopping`: the same, and none will begin. `ended`: the report is final.
 */
export const breachStates = ["preview", "running", "paused", "stopping", "ended"] as const;
export type BreachState = (typeof breachStates)[number];

/**
 * What became of one target. `waiting`: its rotation was not requested. `begun`: its rotation is being requested, or is queued or open.
 * The others are final in the report. `unfinished`: Keyturn goes on by itself, but not within the time of the breach. `left`: no
 * rotation was requested.
 */
export const itemStates = [
  "waiting",
  "begun",
  "rotated",
  "failed",
  "blocked",
  "unfinished",
  "left",
] as const;
export type ItemState = (typeof itemStates)[number];

export type ItemCounts = Readonly<Record<ItemState, number>>;

export const obstacleKinds = [
  "paused",
  "frozen",
  "blocked",
  "failing",
  "not-adopted",
  "unreadable",
] as const;
export type ObstacleKind = (typeof obstacleKinds)[number];

/** What may keep a target from being rotated now. */
export interface Obstacle {
  readonly kind: ObstacleKind;
  /** A sentence for an operator. */
  readonly why: string;
}

/** Who did something to a breach, when and why. */
export interface Act extends Origin {
  readonly at: Instant;
}

/** How many of the rotations that have begun wait, and for what. */
export interface Waits {
  readonly targets: number;
  /** What most of them wait for. */
  readonly why: string;
}

/** The share of one vault or server in the time that a breach takes. */
export interface Share {
  readonly name: string;
  /** New versions in a vault; rotations at a server. */
  readonly count: number;
  readonly seconds: number;
}

export interface Estimate {
  /** From the confirmation to the end of the last rotation, if nothing fails. */
  readonly seconds: number;
  /** The vault or server that takes the longest. */
  readonly limitedBy: string;
  /** The vaults that take the longest, at most 20. */
  readonly vaults: readonly (Share & { readonly perTenSeconds: number })[];
  /** The servers that take the longest, at most 20. */
  readonly servers: readonly Share[];
}

export interface ConsumerShare {
  readonly name: string;
  readonly targets: number;
}

/** What the preview says about all targets together. */
export interface BreachSummary {
  readonly targets: number;
  /** Targets without a second account: consumers are refused from the change until they read the new password. */
  readonly withGap: number;
  /** Pairs whose accounts change their own passwords: the old password works until the next rotation. */
  readonly keepOldPassword: number;
  /** How many targets have each kind of obstacle. */
  readonly obstacles: Readonly<Partial<Record<ObstacleKind, number>>>;
  /** The consumers of the most targets first, at most 100. */
  readonly consumers: readonly ConsumerShare[];
  readonly otherConsumers: number;
}

/** The rotation of many targets at once, because somebody may have their secrets. Plain JSON. */
export interface Breach {
  readonly schema: typeof recordSchema;
  /** A ULID. */
  readonly id: string;
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly selection: BreachSelection;
  readonly state: BreachState;
  /** Until when the preview can be confirmed. */
  readonly expiresAt: Instant;
  /** A hash of the targets in their order, and of everything about them that the preview shows and the configuration decides. */
  readonly fingerprint: string;
  readonly counts: ItemCounts;
  /** Absent when no rotation that has begun waits. */
  readonly waits?: Waits;
  readonly summary: BreachSummary;
  readonly estimate: Estimate;
  /** Milliseconds after which the breach no longer waits for a rotation that has begun. */
  readonly giveUpAfter: number;
  readonly confirmed?: Act;
  /** Whether pauses of targets do not delay the rotations. */
  readonly force?: boolean;
  /** Whether no freeze delays the rotations. */
  readonly liftFreezes?: boolean;
  readonly paused?: Act;
  readonly resumed?: Act;
  readonly cancelled?: Act;
  readonly endedAt?: Instant;
  /** When a worker must advance the breach next. Present exactly while the breach is active. */
  readonly nextAt?: Instant;
  /** Notifications that not every notifier has received; at most three. */
  readonly outbox: readonly Notification[];
}

/** One target of a breach: its line of the preview, of the progress and of the report. Plain JSON. */
export interface BreachItem {
  readonly schema: typeof recordSchema;
  readonly breachId: string;
  readonly targetId: string;
  /** From 1, the most exposed target first. */
  readonly place: number;
  readonly why: string;
  /** A hash of what the configuration decides about the target. */
  readonly fingerprint: string;
  readonly type: string;
  readonly server: string;
  readonly accounts: readonly string[];
  /** Whether consumers are refused for a while, because there is neither a second account nor a second secret. */
  readonly hasGap: boolean;
  /** Whether the old password of a pair keeps working, because its accounts change their own passwords. */
  readonly keepsOldPassword: boolean;
  /** At most 100 names. */
  readonly consumers: readonly string[];
  readonly obstacles: readonly Obstacle[];
  readonly state: ItemState;
  readonly begunAt?: Instant;
  readonly rotationId?: string;
  /** What the rotation waits for. Such a target delays no other one. */
  readonly waitsFor?: string;
  /** When the breach learnt what became of the target. */
  readonly endedAt?: Instant;
  readonly rotatedAt?: Instant;
  readonly version?: VersionRef;
  /** Whether the password that was published before still works. */
  readonly oldPasswordWorks?: boolean;
  readonly failure?: Failure;
  /** Why the target was not rotated, or what is left to do. */
  readonly outcome?: string;
  /** When Keyturn tries again by itself. */
  readonly nextTry?: Instant;
}

/** A breach that this instance cannot read. */
export interface UnreadableBreach {
  readonly id: string;
  readonly state: "unreadable";
  readonly why: string;
}

export type BreachRow = Breach | UnreadableBreach;

export function countStates(items: readonly Pick<BreachItem, "state">[]): ItemCounts {
  const counts: Record<ItemState, number> = { ...noItems };
  for (const { state } of items) counts[state] += 1;
  return counts;
}

const noItems: ItemCounts = {
  waiting: 0,
  begun: 0,
  rotated: 0,
  failed: 0,
  blocked: 0,
  unfinished: 0,
  left: 0,
};

/** The outcomes in words. */
export function describeCounts({ rotated, failed, blocked, unfinished, left }: ItemCounts): string {
  return `${rotated} rotated, ${failed} failed, ${blocked} blocked, ${unfinished} unfinished, ${left} left`;
}

/** The counts after some targets changed their states. */
export function recount(
  counts: ItemCounts,
  changes: readonly { readonly from: ItemState; readonly to: ItemState }[],
): ItemCounts {
  const next = { ...counts };
  for (const { from, to } of changes) {
    next[from] -= 1;
    next[to] += 1;
  }
  return next;
}

/** Whether a worker still has something to do for the breach. */
export function isActive({ state, counts, outbox }: Breach): boolean {
  if (outbox.length > 0) return true;
  return state === "running" || state === "stopping" || (state === "paused" && counts.begun > 0);
}

/** Whether the breach still needs a person or a worker. */
export function isOpen({ state, expiresAt }: Breach, now: Instant): boolean {
  return state === "preview" ? expiresAt > now : state !== "ended";
}
