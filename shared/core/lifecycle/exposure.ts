import { isExempt } from "../policy/due/due-rules.ts";
import { computeNextDue, type Due } from "../policy/due/schedule.ts";
import { countsFrom, findLastChange, findLastSeen, toFacts, withDueMoment } from "../record/due.ts";
import { listSeen, withExposedVersions } from "../record/exposed-versions.ts";
import { storeJustification } from "../record/justification.ts";
import { type Exposure, type TargetRecord } from "../record/record.ts";
import { findPublicAt, withoutRotationHold } from "../record/rotation.ts";
import { findSlot } from "../record/slots.ts";
import { maxNameLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, type Instant, second } from "../time.ts";
import {
  describeExposureOutcome,
  type ExposureOutcome,
  findPlannedStart,
  toNextDue,
} from "./exposure-outcome.ts";
import { findSeen } from "./seen.ts";

export interface AcceptedExposure extends ExposureOutcome {
  /** The same object as before when the exposure changes nothing. */
  readonly record: TargetRecord;
}

/**
 * Accepts a report that somebody saw the secret. The first exposure since the last change counts, and a later breach turns it into a
 * breach. The caller writes only `exposure`, the seen versions, the due time and the hold of a request, so a worker that holds the claim can merge them.
 * The hold of an open rotation is evaluated again.
 */
export function acceptExposure(
  before: TargetRecord,
  target: Target,
  exposure: Exposure,
  now: Instant,
): AcceptedExposure {
  const { policy } = target;
  if (isExempt(policy, exposure.by)) {
    const why = `policy ${policy.name}: ${exposure.by} may see the secret`;
    return { counted: false, why, ...toNextDue(findPlannedStart(before)), record: before };
  }
  const changedAt = findLastChange(before);
  const record = withExposedVersions(before, listSeen(before, exposure, changedAt));
  const seen = findSeen(record, exposure);
  if ("nothing" in seen) {
    return { counted: false, why: seen.nothing, ...toNextDue(findPlannedStart(record)), record };
  }
  const taken = mergeExposures(findUnansweredExposure(record), brief(seen.exposure));
  const isKnown = JSON.stringify(taken) === JSON.stringify(record.exposure);
  const exposed = isKnown ? record : withoutRequestHold({ ...record, exposure: taken }, record);
  const due = computeNextDue(policy, toFacts(exposed), now);
  const accepted = withEarlierDue(exposed, due);
  return {
    ...describeExposureOutcome(accepted, { target, note: seen.note, due, now }),
    record: accepted,
  };
}

/** How many others who saw the secret a record keeps. */
const maxOthers = 10;

/**
 * Milliseconds. Reports that are closer together count as made at one time: the clocks of reporters and of the vault agree no better,
 * and many reports at once need not be written one by one.
 */
const sameTimeMs = 5 * second;

/** The earlier of two exposures, with its version only if both name the same one. Everyone who saw the secret is kept, and the later time. */
function mergeExposures(known: Exposure | undefined, added: Exposure): Exposure {
  if (!known) return added;
  const { version, alsoBy: _, lastAt: _l, ...first } = known.at <= added.at ? known : added;
  const lastKnown = findLastSeen(known);
  const lastAt = between(lastKnown, added.at) < sameTimeMs ? lastKnown : added.at;
  const isBreach = known.kind === "breach" || added.kind === "breach";
  const seers = new Set([known.by, ...(known.alsoBy ?? []), added.by]);
  seers.delete(first.by);
  return {
    ...first,
    ...(lastAt > first.at && { lastAt }),
    kind: isBreach ? "breach" : "exposure",
    ...(seers.size > 0 && { alsoBy: [...seers].slice(0, maxOthers) }),
    ...(version !== undefined && known.version === added.version && { version }),
  };
}

/** The record without its hold by a window or a freeze, because an exposure or a breach may lift both. */
function withoutRequestHold(exposed: TargetRecord, before: TargetRecord): TargetRecord {
  const { request, ...rest } = withoutRotationHold(exposed);
  if (request?.heldBy === undefined || request.reason !== "exposure")
    return withoutRotationHold(exposed);
  if (exposed.exposure?.kind === before.exposure?.kind) return withoutRotationHold(exposed);
  const { notBefore: _n, heldBy: _h, ...free } = request;
  return { ...rest, request: free };
}

function brief(exposure: Exposure): Exposure {
  const { by, from, justification = {}, ...rest } = exposure;
  return {
    ...rest,
    by: shorten(by, maxNameLength),
    ...storeJustification(justification),
    ...(from !== undefined && { from: shorten(from, maxNameLength) }),
  };
}

/** The exposure, unless Keyturn or a person has changed the secret since. */
export function findUnansweredExposure(record: TargetRecord): Exposure | undefined {
  const { exposure } = record;
  if (!exposure) return undefined;
  const changedAt = findLastChange(record);
  const at = countsFrom(exposure, changedAt);
  return changedAt === undefined || changedAt <= at ? { ...exposure, at } : undefined;
}

/**
 * The record after another account was published by hand than in `before`. An exposure of the account that was published until then is
 * not answered by that: its password still works. So the exposure counts from the change, for the version of that account.
 */
export function withExposedSuperseded(record: TargetRecord, before: TargetRecord): TargetRecord {
  const exposure = findUnansweredExposure(before);
  const changedAt = findLastChange(record);
  const account = before.active;
  if (!exposure || account === undefined || account === record.active) return record;
  if (changedAt === undefined || findLastSeen(exposure) >= changedAt) return record;
  const { current } = findSlot(record, account);
  const { version = current?.version } = exposure;
  if (version === undefined || version !== current?.version) return record;
  return { ...record, exposure: { ...restartAt(exposure, changedAt), version } };
}

/** The exposure as it counts after a change that did not answer it. */
export function restartAt({ lastAt: _, ...exposure }: Exposure, at: Instant): Exposure {
  return { ...exposure, at };
}

/** An earlier retry stays. Otherwise the due time is the one that the policy gives now. */
function withEarlierDue(record: TargetRecord, due: Due): TargetRecord {
  const { nextDue: planned } = record;
  if (due.at === undefined || record.adoptedAt === undefined) return record;
  return planned !== undefined && planned <= due.at ? record : withDueMoment(record, due);
}

/** `next` with the exposure that a caller reported while this worker worked on `ours`. */
export function withTheirExposure(
  next: TargetRecord,
  ours: TargetRecord,
  theirs: TargetRecord,
): TargetRecord {
  const { exposure } = theirs;
  if (!exposure || JSON.stringify(exposure) === JSON.stringify(ours.exposure)) return next;
  const changedAt = next.lastSuccessAt === ours.lastSuccessAt ? undefined : next.lastSuccessAt;
  if (changedAt === undefined) {
    const exposed = withExposedSuperseded({ ...next, exposure }, { ...ours, exposure });
    return withSooner(withoutRotationHold(exposed), theirs);
  }
  // The exposed secret is the one before the change that has just ended, so it is superseded.
  if (!ours.rotation || findPublicAt(ours.rotation) === undefined) return next;
  // The new secret may have been public already, so the exposure counts from the change that has just ended.
  const exposed = { ...next, exposure: restartAt(exposure, changedAt) };
  return withSooner(withExposedVersions(exposed, [next.published?.version]), theirs);
}

function withSooner(next: TargetRecord, theirs: TargetRecord): TargetRecord {
  const { nextDue: at, dueReason: reason = "", passedOver = [] } = theirs;
  if (at === undefined || (next.nextDue !== undefined && next.nextDue <= at)) return next;
  return withDueMoment(next, { at, reason, passedOver });
}
