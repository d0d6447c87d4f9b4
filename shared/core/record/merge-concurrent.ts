import { isSameRequest } from "../lifecycle/combine.ts";
import { sortDated } from "../lifecycle/dated.ts";
import { withTheirExposure } from "../lifecycle/exposure.ts";
import { withTheirUse } from "../lifecycle/use.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { withExposedVersions } from "./exposed-versions.ts";
import { isSamePause } from "./pause.ts";
import type { TargetRecord } from "./record.ts";

/** The three versions of a record in a lost write race. */
export interface Race {
  /** The record as this worker last read or wrote it. */
  readonly base: TargetRecord;
  /** What this worker wanted to write. */
  readonly local: TargetRecord;
  /** What the journal holds now, written by a caller without a claim. */
  readonly remote: TargetRecord;
}

type Merge = (merged: TargetRecord, race: Race, target: Target, now: Instant) => TargetRecord;

/**
 * The source of each field after a lost race. `worker`: only the owner of the claim writes the field. `with …`: the rule of another
 * field writes it too. Callers without a claim write the other fields; a function merges the two values. The functions run in this
 * order. A new field of the record does not compile until it has a line here.
 */
const rules: Record<keyof TargetRecord, Merge | "worker" | `with ${string}`> = {
  request: takeNewerRequest,
  exposure: (merged, { base, remote }) => withTheirExposure(merged, base, remote),
  exposedVersions: takeTheirExposedVersions,
  given: "worker",
  dated: takeTheirDated,
  lastUsedAt: (merged, { remote }, target, now) => withTheirUse(merged, remote, target, now),
  lastUsedBy: "with lastUsedAt",
  check: takeNewerCheck,
  pause: takeTheirPause,
  nextDue: "with exposure and lastUsedAt",
  dueReason: "with exposure and lastUsedAt",
  passedOver: "with exposure and lastUsedAt",
  schema: "worker",
  targetId: "worker",
  health: "worker",
  slots: "worker",
  active: "worker",
  published: "worker",
  secretEnd: "worker",
  adoptedAt: "worker",
  writtenAt: "worker",
  lastSuccessAt: "worker",
  lastFailure: "worker",
  failures: "worker",
  rotation: "worker",
  again: "worker",
  retirement: "worker",
  superseded: "worker",
  refusedSince: "worker",
  refusals: "worker",
  verifiedAt: "worker",
  heartbeat: "worker",
  refresh: "worker",
  awaited: "worker",
  tidiedAt: "worker",
  policyFingerprint: "worker",
  policyWhy: "worker",
  policiesPassedOver: "worker",
  outbox: "worker",
  outboxRetryAt: "worker",
  skipped: "worker",
  restUntil: "worker",
  claim: "worker",
};

const merges = Object.values(rules).filter((rule) => typeof rule === "function");

/**
 * The record to write after the worker lost a race to a caller without a claim: everything that the worker wanted to write, and the
 * request or report of the caller.
 */
export function mergeConcurrent(race: Race, target: Target, now: Instant): TargetRecord {
  return merges.reduce((merged, merge) => merge(merged, race, target, now), race.local);
}

/** The base for the next race of the same write, with what callers have written so far. */
export function withCallersFields(base: TargetRecord, remote: TargetRecord): TargetRecord {
  const { request, exposure, check, dated } = remote;
  const { dated: _, ...rest } = base;
  return {
    ...rest,
    ...(request && { request }),
    ...(exposure && { exposure }),
    ...(check && { check }),
    ...(dated && { dated }),
  };
}

/** A request made meanwhile stays. A request that the worker has just answered does not come back. */
function takeNewerRequest(merged: TargetRecord, { base, remote }: Race): TargetRecord {
  const isNew = remote.request !== undefined && !isSameRequest(remote.request, base.request);
  return isNew ? { ...merged, request: remote.request } : merged;
}

/**
 * The scheduled rotation that a caller cancelled while the worker began it, or let another rotation answer it. What the worker wants to
 * write is void then. If the rotation is as the worker wants it, only the answer to its own write was lost.
 */
export function findCancelled({ base, local, remote }: Race): string | undefined {
  const isOwnWrite =
    local.rotation?.id !== base.rotation?.id && local.rotation?.id === remote.rotation?.id;
  if (isOwnWrite) return undefined;
  const [ours, theirs] = [idsOf(local), idsOf(remote).add(remote.request?.rotationId ?? "")];
  return [...idsOf(base)].find((id) => !ours.has(id) && !theirs.has(id));
}

const idsOf = ({ dated = [] }: TargetRecord): Set<string> =>
  new Set(dated.map(({ rotationId }) => rotationId));

/** Callers add and cancel scheduled rotations, and workers remove those whose date has come. */
function takeTheirDated(merged: TargetRecord, { base, remote }: Race): TargetRecord {
  const [known, theirs] = [idsOf(base), idsOf(remote)];
  const added = (remote.dated ?? []).filter(({ rotationId }) => !known.has(rotationId));
  const { dated = [], ...rest } = merged;
  const kept = dated.filter(({ rotationId }) => theirs.has(rotationId) || !known.has(rotationId));
  if (added.length === 0 && kept.length === dated.length) return merged;
  const all = sortDated([...kept, ...added]);
  return all.length === 0 ? rest : { ...rest, dated: all };
}

/** Callers and workers only add versions. */
function takeTheirExposedVersions(merged: TargetRecord, { remote }: Race): TargetRecord {
  return withExposedVersions(merged, remote.exposedVersions ?? []);
}

/** No worker writes the pause, so the journal has the latest one, or none after a resume. */
function takeTheirPause(merged: TargetRecord, { remote }: Race): TargetRecord {
  if (isSamePause(merged.pause, remote.pause)) return merged;
  const { pause: _, ...rest } = merged;
  return remote.pause ? { ...rest, pause: remote.pause } : rest;
}

/** A check requested meanwhile stays, even if the worker has just made one. */
function takeNewerCheck(merged: TargetRecord, { base, remote }: Race): TargetRecord {
  const { check } = remote;
  const isNew =
    check !== undefined && (check.at !== base.check?.at || check.why !== base.check.why);
  return isNew ? { ...merged, check } : merged;
}
