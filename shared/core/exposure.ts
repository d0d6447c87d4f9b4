import { asPlanned, factsOf, lastChangeOf } from "./due.ts";
import { isExempt } from "./policy/claims.ts";
import { askedAgain, type Exposure, type TargetRecord } from "./rotation.ts";
import { type Due, nextDue } from "./schedule.ts";
import { longestName, shorten } from "./shorten.ts";
import type { Target } from "./target.ts";
import type { Instant } from "./time.ts";

export interface AcceptedExposure {
  /** Whether it starts the clock, or had been started by an earlier one. */
  readonly counted: boolean;
  readonly why: string;
  /** The very same record when it changes nothing. */
  readonly record: TargetRecord;
}

/**
 * Takes a report that somebody saw the secret. Of several since the last change the first one counts; a breach makes
 * it one. Only `exposure` and the due moment are written, so a worker that holds the claim can take them over, and
 * what an open rotation waits for is asked again.
 */
export function acceptExposure(
  record: TargetRecord,
  target: Target,
  exposure: Exposure,
  now: Instant,
): AcceptedExposure {
  const nothing = reasonNotToCount(record, target, exposure);
  if (nothing !== undefined) return { counted: false, why: nothing, record };
  const known = standing(record);
  const first = known && known.at <= exposure.at ? known : brief(exposure);
  const isBreach = [known, exposure].some((one) => one?.kind === "breach");
  const taken: Exposure = { ...first, kind: isBreach ? "breach" : "exposure" };
  const exposed = { ...record, exposure: taken };
  const due = nextDue(target.policy, factsOf(exposed), now);
  return { counted: true, why: due.reason, record: withEarlierDue(askedAgain(exposed), due) };
}

function brief(exposure: Exposure): Exposure {
  const { by, from } = exposure;
  return {
    ...exposure,
    by: shorten(by, longestName),
    ...(from !== undefined && { from: shorten(from, longestName) }),
  };
}

/** The exposure that has not been answered by a change, whoever made that. */
export function standing(record: TargetRecord): Exposure | undefined {
  const { exposure } = record;
  const changedAt = lastChangeOf(record);
  return exposure && (changedAt === undefined || changedAt <= exposure.at) ? exposure : undefined;
}

function reasonNotToCount(
  record: TargetRecord,
  { policy }: Target,
  { at, by, version }: Exposure,
): string | undefined {
  if (isExempt(policy, by)) return `policy ${policy.name}: ${by} may see the secret`;
  const { published, slots } = record;
  if (version !== undefined && published && version !== published.version) {
    const isKnown = slots.some(({ current }) => current?.version === version);
    if (!isKnown) return "that version is not in use";
  }
  const changedAt = lastChangeOf(record);
  if (changedAt === undefined || changedAt <= at) return undefined;
  return `the secret has been changed since, at ${changedAt}`;
}

/** A retry that comes sooner stays; whatever else was planned is what the policy says now. */
function withEarlierDue(record: TargetRecord, due: Due): TargetRecord {
  const { nextDue: planned } = record;
  if (due.at === undefined || record.adoptedAt === undefined) return record;
  return planned !== undefined && planned <= due.at ? record : asPlanned(record, due);
}

/** `next` with the exposure that somebody reported while we worked on `ours`. */
export function withTheirExposure(
  next: TargetRecord,
  ours: TargetRecord,
  theirs: TargetRecord,
): TargetRecord {
  const { exposure } = theirs;
  if (!exposure || JSON.stringify(exposure) === JSON.stringify(ours.exposure)) return next;
  const changedAt = next.lastSuccessAt === ours.lastSuccessAt ? undefined : next.lastSuccessAt;
  if (changedAt === undefined) return withSooner(askedAgain({ ...next, exposure }), theirs);
  // Seen while it was not public yet, and superseded by now.
  if (ours.rotation?.published === undefined) return next;
  // Seen when it was public already: as old as the change that has just ended.
  return withSooner({ ...next, exposure: { ...exposure, at: changedAt } }, theirs);
}

function withSooner(next: TargetRecord, theirs: TargetRecord): TargetRecord {
  const { nextDue: at, dueReason: reason = "", passedOver = [] } = theirs;
  if (at === undefined || (next.nextDue !== undefined && next.nextDue <= at)) return next;
  return asPlanned(next, { at, reason, passedOver });
}
