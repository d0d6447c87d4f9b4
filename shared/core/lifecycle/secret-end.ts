import { computeNextDue } from "../policy/due/schedule.ts";
import { nearExpiryLead } from "../policy/policy.ts";
import { findSecretEnd, toFacts, withDueMoment } from "../record/due.ts";
import { notBeforePause } from "../record/pause.ts";
import type { SecretEnd, TargetRecord } from "../record/record.ts";
import type { Target } from "../target.ts";
import { between, day, type Instant } from "../time.ts";
import { notify } from "./notifications.ts";

/** The record that knows when the published secret ends, and whose rotation is due before that. */
export function withSecretEnd(
  record: TargetRecord,
  end: SecretEnd,
  { policy }: Target,
  now: Instant,
): TargetRecord {
  const known = { ...record, secretEnd: end };
  const { nextDue, adoptedAt, rotation, again } = known;
  if (adoptedAt === undefined || rotation || again) return known;
  const due = computeNextDue(policy, toFacts(known), now);
  const isSooner = due.at !== undefined && (nextDue === undefined || due.at < nextDue);
  return isSooner ? withDueMoment(known, due) : known;
}

/** Milliseconds between two reports that a secret ends before it is replaced. */
const reportEvery = 7 * day;

function isReportDue({ reportedAt }: SecretEnd, endsAt: Instant, now: Instant): boolean {
  if (between(now, endsAt) > nearExpiryLead) return false;
  return reportedAt === undefined || between(reportedAt, now) >= reportEvery;
}

/** The record with the alarm that the published secret ends soon, and no rotation comes before. */
export function withEndReported(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  const end = findSecretEnd(record);
  if (end?.at === undefined || record.rotation) return record;
  const { nextDue, published } = record;
  const planned = nextDue && notBeforePause(nextDue, record);
  const isPlanned = planned !== undefined && planned < end.at;
  if (isPlanned || !isReportDue(end, end.at, now)) return record;
  const why =
    planned === undefined
      ? `policy ${target.policy.name} makes no rotation due`
      : `the next rotation waits until ${planned}`;
  const message =
    `The system ends the published secret of target ${target.id} at ${end.at}, and ${why}. ` +
    "Consumers have no valid secret after that. Request a rotation; `lift` and `force` end a freeze or a pause for it.";
  const reported = { ...record, secretEnd: { ...end, reportedAt: now } };
  return notify(reported, {
    type: "alarm",
    at: now,
    data: { kind: "secret-ends", message },
    about: `${published?.version ?? ""}/secret-ends/${now}`,
  });
}
