import { hashOf } from "../canonical.ts";
import { findFreezeHold } from "../lifecycle/hold.ts";
import type { Origin } from "../record/justification.ts";
import { describePause, findPause } from "../record/pause.ts";
import { recordSchema, type TargetRecord } from "../record/record.ts";
import { maxNameLength, shorten } from "../shorten.ts";
import { endsSuperseded, hasGrace, type Target } from "../target.ts";
import { hour, type Instant, minute, plus } from "../time.ts";
import {
  type Breach,
  type BreachItem,
  type BreachSelection,
  type BreachSummary,
  countStates,
  type Obstacle,
  type ObstacleKind,
} from "./breach.ts";
import type { Candidate } from "./candidate.ts";
import { estimateBreach } from "./estimate.ts";
import { isBlocked } from "./judge.ts";
import { describePlace, orderByExposure } from "./order.ts";

/** Milliseconds for which a preview can be confirmed. */
const previewLength = hour;

/** Milliseconds. By default the breach waits so long for a rotation that has begun. */
const usualPatience = 15 * minute;

const maxConsumers = 100;
const maxListed = 100;
const maxObstacleLength = 300;
const fingerprintLength = 16;

/** A breach as a person wants it. */
export interface BreachInput extends Origin {
  readonly reason: string;
  readonly selection: BreachSelection;
  /** Milliseconds. Absent: `usualPatience`. */
  readonly giveUpAfter?: number;
}

export interface Preview {
  readonly breach: Breach;
  readonly items: readonly BreachItem[];
}

interface Making {
  readonly id: string;
  readonly now: Instant;
  /** How many versions a vault creates in 10 seconds. */
  readonly perWindow: (vault: string) => number;
}

/** What the breach would do with the selected targets. */
export function makePreview(
  input: BreachInput,
  selected: readonly Candidate[],
  { id, now, perWindow }: Making,
): Preview {
  const ordered = orderByExposure(selected);
  const items = ordered.map((candidate, index) =>
    makeItem(candidate, { breachId: id, place: index + 1, now }),
  );
  const { selection, giveUpAfter = usualPatience, by, reason, ticket } = input;
  const breach: Breach = {
    schema: recordSchema,
    id,
    at: now,
    by: shorten(by, maxNameLength),
    reason,
    ...(ticket !== undefined && { ticket }),
    selection,
    state: "preview",
    expiresAt: plus(now, previewLength),
    fingerprint: fingerprintItems(items),
    counts: countStates(items),
    summary: summarize(items),
    estimate: estimateBreach(ordered, perWindow),
    giveUpAfter,
    outbox: [],
  };
  return { breach, items };
}

interface ItemPlace {
  readonly breachId: string;
  readonly place: number;
  readonly now: Instant;
}

function makeItem(candidate: Candidate, { breachId, place, now }: ItemPlace): BreachItem {
  const { target, server } = candidate;
  const { id, type, slots, consumers } = target;
  return {
    schema: recordSchema,
    breachId,
    targetId: id,
    place,
    why: shorten(describePlace(candidate), maxObstacleLength),
    fingerprint: fingerprintTarget(target, server),
    type,
    server: shorten(server, maxObstacleLength),
    accounts: slots.map(({ account }) => shorten(account, maxNameLength)),
    hasGap: !hasGrace(target),
    keepsOldPassword: hasGrace(target) && !endsSuperseded(target),
    consumers: consumers.slice(0, maxConsumers),
    obstacles: listObstacles(candidate, now),
    state: "waiting",
  };
}

/** A hash of everything that decides what a rotation of the target does, and whom it affects. */
function fingerprintTarget(target: Target, server: string): string {
  const { id, type, options, slots, authority, publish, pendingVault = "", consumers } = target;
  const parts = [id, type, server, options, slots, authority, publish, pendingVault, consumers];
  return hashOf(parts).slice(0, fingerprintLength);
}

/** The order does not count: it changes with every report. */
function fingerprintItems(items: readonly BreachItem[]): string {
  const parts = items.map(({ targetId, fingerprint }) => `${targetId} ${fingerprint}`);
  return hashOf(parts.sort()).slice(0, fingerprintLength);
}

/** What may keep the target from being rotated now. */
function listObstacles(candidate: Candidate, now: Instant): readonly Obstacle[] {
  const { target, record, unreadable } = candidate;
  if (unreadable !== undefined) return [obstacle("unreadable", unreadable)];
  const freeze = findFreezeHold(target.policy, "breach", now);
  const frozen = freeze ? [obstacle("frozen", freeze.why, "liftFreezes")] : [];
  return record ? [...listRecorded(record, now), ...frozen] : [notAdopted, ...frozen];
}

function listRecorded(record: TargetRecord, now: Instant): readonly Obstacle[] {
  const pause = findPause(record, now);
  const failed = record.lastFailure?.message ?? "the last rotation failed";
  return [
    ...(isBlocked(record) ? [obstacle("blocked", failed)] : []),
    ...(record.health === "failing" ? [obstacle("failing", failed)] : []),
    ...(record.adoptedAt === undefined ? [notAdopted] : []),
    ...(pause ? [obstacle("paused", describePause(pause), "force")] : []),
  ];
}

const notAdopted = obstacle("not-adopted", "Keyturn verifies its present password first");

/** `override`: the field of the confirmation with which the obstacle does not delay the target. */
function obstacle(kind: ObstacleKind, why: string, override?: "force" | "liftFreezes"): Obstacle {
  const found = shorten(why, maxObstacleLength);
  return {
    kind,
    why: override === undefined ? found : `${found}. Confirm with ${override} to rotate it now`,
  };
}

function summarize(items: readonly BreachItem[]): BreachSummary {
  const consumers = countEach(items.flatMap((item) => item.consumers));
  const obstacles = countEach(
    items.flatMap((item) => [...new Set(item.obstacles.map(({ kind }) => kind))]),
  );
  return {
    targets: items.length,
    withGap: items.filter(({ hasGap }) => hasGap).length,
    keepOldPassword: items.filter(({ keepsOldPassword }) => keepsOldPassword).length,
    obstacles: Object.fromEntries(obstacles),
    consumers: consumers.slice(0, maxListed).map(([name, targets]) => ({ name, targets })),
    otherConsumers: Math.max(0, consumers.length - maxListed),
  };
}

/** Each word with the number of times it occurs, the most frequent first. */
function countEach<Word extends string>(words: readonly Word[]): [Word, number][] {
  const groups = Map.groupBy(words, (word) => word);
  return [...groups]
    .map(([word, all]): [Word, number] => [word, all.length])
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/** How many changes a message lists. */
const maxChanges = 5;

/**
 * What has changed since the preview: targets that are selected now and were not, those that are not any more, and those whose
 * configuration is another one. Undefined when nothing has.
 */
export function describeChanges(
  before: readonly BreachItem[],
  now: readonly BreachItem[],
): string | undefined {
  const known = new Map(before.map((item) => [item.targetId, item.fingerprint]));
  const present = new Map(now.map((item) => [item.targetId, item.fingerprint]));
  const parts = [
    name(
      "no longer selected",
      [...known.keys()].filter((id) => !present.has(id)),
    ),
    name(
      "selected since",
      [...present.keys()].filter((id) => !known.has(id)),
    ),
    name(
      "configured otherwise",
      [...present].filter(([id, is]) => (known.get(id) ?? is) !== is).map(([id]) => id),
    ),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function name(what: string, ids: readonly string[]): string | undefined {
  if (ids.length === 0) return undefined;
  const others = ids.length - maxChanges;
  const more = others > 0 ? ` and ${others} more` : "";
  return `${what}: ${ids.slice(0, maxChanges).join(", ")}${more}`;
}
