import { findUnansweredExposure } from "../lifecycle/exposure.ts";
import { describeRequester } from "../lifecycle/permit.ts";
import { describeWait } from "../lifecycle/retirement.ts";
import { findGuessPause } from "../looks/guesses.ts";
import { isExempt } from "../policy/due/due-rules.ts";
import { findSecretEnd } from "../record/due.ts";
import { describeJustification } from "../record/justification.ts";
import { type Rotation, type RotationRequest, type WorkingPhase } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";
import { computeFingerprint } from "../target.ts";
import type { Situation } from "./situation.ts";
import { count, describeFailure, sentence, withoutPeriod } from "./words.ts";

type Fact = (situation: Situation) => string | readonly string[] | undefined;

/** The facts of the record that explain the state, the most important first. */
export function listFacts(situation: Situation): string[] {
  return facts.flatMap((fact) => fact(situation) ?? []);
}

const facts: readonly Fact[] = [
  describeRefusal,
  describePause,
  describeLastFailure,
  describeFailures,
  ({ record }) => (record.rotation ? describeOpen(record.rotation) : undefined),
  describeRequests,
  describeRepeat,
  describeSkip,
  describeClaim,
  describeGuessPauses,
  describeCheck,
  describeSuperseded,
  describeRetirement,
  describeRefresh,
  describeAwaitedValue,
  describeExposure,
  describeAdoption,
  describePublished,
  describeEnd,
  describeDue,
  describeEdit,
  describeOutbox,
];

function describeRefusal({ record, target }: Situation) {
  const { refusedSince } = record;
  if (refusedSince === undefined) return undefined;
  return `The target refuses the published secret ${target.publish.name} since ${refusedSince}.`;
}

function describePause({ record, now }: Situation) {
  const { restUntil } = record;
  if (restUntil === undefined || restUntil <= now) return undefined;
  return `Keyturn does no work on the target until ${restUntil}, because an immediate retry would most likely meet the same error.`;
}

/** A failure stays in the record after a check that succeeded. */
function describeLastFailure(situation: Situation) {
  const { lastFailure } = situation.record;
  if (!lastFailure) return undefined;
  const isOver = hasRecovered(situation)
    ? " It is over: a later log-in or rotation succeeded."
    : "";
  return describeFailure(lastFailure) + isOver;
}

/** Whether nothing needs the cure of the last failure any more. */
export function hasRecovered({ record }: Situation): boolean {
  const { health, lastFailure, lastSuccessAt, retirement, check, rotation } = record;
  if (health !== "healthy" || !lastFailure || rotation) return false;
  const isTriedAgain = (retirement?.failures ?? 0) > 0 || (check?.failures ?? 0) > 0;
  // A rotation removes the failure before it, so an earlier one is what the last rotation left undone.
  const isLeftUndone = lastSuccessAt !== undefined && lastFailure.at <= lastSuccessAt;
  return !isTriedAgain && !isLeftUndone;
}

function describeFailures({ record }: Situation) {
  return record.failures > 1 ? `${count(record.failures, "rotation")} failed in a row.` : undefined;
}

const phases: Readonly<Record<WorkingPhase, string>> = {
  staging: "it creates the new password and stores it as a pending version",
  applying: "it sets the pending password on the target and logs in with it",
  publishing: "the target has the new password, and Keyturn publishes it",
  checking: "the new version is published, and Keyturn logs in with it",
  refreshing: "the new password is published and proven, and Keyturn notifies the consumers",
  cleaning: "the new password is published and proven, and Keyturn disables the pending version",
};

function describeOpen(rotation: Rotation): string[] {
  const { id, account, startedAt, phase, leftUndone, lift } = rotation;
  const by = describeCause(rotation);
  const known = phase === "blocked" ? "it is blocked" : `phase \`${phase}\`: ${phases[phase]}`;
  return [
    `Rotation ${id} of account ${account} (${by}) began at ${startedAt}; ${known}.`,
    ...(mayHaveChanged(rotation) && phase === "applying"
      ? [`Account ${account} may have the new password already, so the rotation always continues.`]
      : []),
    ...describeAttempts(rotation),
    ...(lift
      ? [sentence(`The freezes are lifted for it by ${lift.by} since ${lift.at}`, lift.why)]
      : []),
    ...(leftUndone ? [sentence("The rotation leaves a step undone", leftUndone.message)] : []),
  ];
}

/** Why a rotation was requested, and by whom. */
function describeCause(asked: Pick<Rotation, "reason" | "requestedBy" | "justification">): string {
  const words = describeJustification(asked.justification);
  return `cause: ${asked.reason}, requested by ${asked.requestedBy}${words}`;
}

function describeAttempts({ failures, nextAttemptAt, heldBy }: Rotation): string[] {
  const held =
    heldBy !== undefined && nextAttemptAt !== undefined
      ? [sentence(`The rotation is delayed until ${nextAttemptAt}`, heldBy)]
      : [];
  if (failures === 0) return held;
  return [`The rotation failed ${count(failures, "time")} since its last progress.`, ...held];
}

function describeRequests({ record }: Situation) {
  const { given, request, dated = [] } = record;
  return [
    ...[given, request].flatMap((one) => (one ? describeRequest(one) : [])),
    ...dated.map((one) =>
      sentence(
        `Rotation ${one.rotationId} is scheduled for ${one.notBefore}`,
        describeRequester(one),
      ),
    ),
  ];
}

function describeRequest(request: RotationRequest): string[] {
  const { rotationId, at, notBefore, heldBy, lift } = request;
  const requested = sentence(
    `A request for rotation ${rotationId} was made at ${at}`,
    describeRequester(request),
  );
  const lifted =
    lift && sentence(`The freezes are lifted for it by ${lift.by} since ${lift.at}`, lift.why);
  const held =
    notBefore !== undefined &&
    sentence(`The request is delayed until ${notBefore}`, heldBy ?? "it was postponed");
  return [requested, ...(lifted ? [lifted] : []), ...(held ? [held] : [])];
}

function describeRepeat({ record }: Situation) {
  const { again } = record;
  if (!again) return undefined;
  const { why, heldBy } = again;
  const repeat = sentence(`The next rotation repeats a failed one (${describeCause(again)})`, why);
  return heldBy === undefined ? repeat : [repeat, sentence("It is delayed", heldBy)];
}

function describeSkip({ record, now }: Situation) {
  const { skipped } = record;
  if (!skipped || skipped.until <= now) return undefined;
  return sentence(
    `Keyturn skipped the target at ${skipped.at} and comes back at ${skipped.until}`,
    skipped.why,
  );
}

function describeClaim({ record, isClaimed, now }: Situation) {
  const { owner, until } = record.claim;
  if (owner === undefined || until === undefined) return undefined;
  if (isClaimed) return `Worker ${owner} is working on the target; its claim ends at ${until}.`;
  return until <= now
    ? `The claim of worker ${owner} ended at ${until} without a release, so the worker probably died. Another worker takes the target.`
    : `The claim of worker ${owner} ends at ${until}, which is too far ahead: a worker with a wrong clock made it, and it does not count.`;
}

function describeGuessPauses({ target, record, now }: Situation) {
  return target.slots.flatMap(({ account }) => {
    const until = findGuessPause(record.refusals ?? [], account, now);
    return until === undefined || until <= now
      ? []
      : [
          `The target refused log-ins of account ${account} too often; Keyturn does not log in with it before ${until}, to avoid a lock.`,
        ];
  });
}

function describeCheck({ record }: Situation) {
  const { check } = record;
  if (!check) return undefined;
  const failed = check.failures > 0 ? `, after ${count(check.failures, "failed check")}` : "";
  return sentence(
    `A check of the published secret is scheduled for ${check.at}${failed}`,
    check.why,
  );
}

function describeSuperseded({ record }: Situation) {
  const { superseded, active } = record;
  if (!superseded) return undefined;
  return `Somebody published account ${active ?? "of another configuration"} by hand at ${superseded.at}; consumers may still use account ${superseded.account}.`;
}

function describeRetirement({ record }: Situation) {
  const { retirement } = record;
  if (!retirement) return undefined;
  const { account, at, failures } = retirement;
  const tries = failures > 0 ? ` It failed ${count(failures, "time")}.` : "";
  return `The superseded password of account ${account} is retired at ${at} or later; that waits for ${withoutPeriod(describeWait(record))}.${tries}`;
}

function describeRefresh({ record: { refresh } }: Situation) {
  if (!refresh || refresh.failures === 0) return undefined;
  const { published, failures, at } = refresh;
  return `The consumers could not be notified of version ${published.version} (${count(failures, "failed attempt")}); Keyturn tries again at ${at}.`;
}

function describeAwaitedValue({ record: { awaited } }: Situation) {
  if (!awaited) return undefined;
  const { since, why, remindAt } = awaited;
  return sentence(
    `A new value is due since ${since}, and Keyturn reminds people again at ${remindAt}`,
    why,
  );
}

function describeExposure({ target, record }: Situation) {
  const exposure = findUnansweredExposure(record);
  if (!exposure) return undefined;
  const { at, by, kind, from } = exposure;
  const where = from === undefined ? "" : ` in ${from}`;
  const { policy } = target;
  const counts =
    policy.afterExposure === undefined || isExempt(policy, by)
      ? ` It makes no rotation due under policy ${policy.name}.`
      : "";
  return `The secret was seen by ${by}${where} at ${at} (${kind}).${counts}`;
}

function describeAdoption({ record }: Situation) {
  if (record.adoptedAt !== undefined) return undefined;
  return "The target is not adopted yet: Keyturn must log in with its present credential first.";
}

function describePublished({ record, target }: Situation) {
  const { active, published, lastSuccessAt, adoptedAt } = record;
  if (adoptedAt === undefined) return undefined;
  if (!published)
    return `Secret ${target.publish.name} has no version that Keyturn published or adopted.`;
  const since =
    lastSuccessAt === undefined
      ? `adopted at ${adoptedAt}`
      : `the last rotation succeeded at ${lastSuccessAt}`;
  return `Consumers read account ${active ?? "of an earlier configuration"} from version ${published.version} of ${published.name} (${since}).`;
}

function describeEnd({ record, target: { lifetime } }: Situation) {
  const { published, adoptedAt } = record;
  if (!published || adoptedAt === undefined) return undefined;
  const end = findSecretEnd(record);
  if (end?.at !== undefined) return `The published secret ends at ${end.at}: the system ends it.`;
  if (lifetime === undefined) return undefined;
  const why = end
    ? "it does not show which of its secrets is the published one"
    : "Keyturn has not received an answer from it yet, and asks with the next heartbeat";
  return `The system ends the published secret at a time that Keyturn does not know, because ${why}. A rotation publishes one whose end is known.`;
}

function describeDue({ record, dueSince }: Situation) {
  const { nextDue, dueReason, rotation, adoptedAt } = record;
  // While a rotation is open, the moment of the next one is not known.
  if (rotation || adoptedAt === undefined || dueReason === undefined) return undefined;
  const since = dueSince === undefined ? "" : `, although it could start since ${dueSince}`;
  const lead =
    nextDue === undefined
      ? "No rotation is scheduled"
      : `The next rotation is scheduled for ${nextDue}${since}`;
  return sentence(lead, dueReason);
}

function describeEdit({ target, record }: Situation) {
  const { policyFingerprint, rotation } = record;
  if (policyFingerprint === undefined || rotation) return undefined;
  if (policyFingerprint === computeFingerprint(target)) return undefined;
  return "The configuration of the target changed after this record was written; a sweep schedules the target again within an hour.";
}

function describeOutbox({ record }: Situation) {
  const { outbox, outboxRetryAt } = record;
  const late = outbox.filter(({ toldTo }) => toldTo !== undefined).length;
  if (late === 0) return undefined;
  const retry = outboxRetryAt === undefined ? "with the next sweep" : `at ${outboxRetryAt}`;
  return `${count(late, "notification")} did not reach every notifier; Keyturn sends again ${retry}.`;
}
