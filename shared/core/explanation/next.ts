import { type stepKinds } from "../answer-words.ts";
import { describeAwaited } from "../lifecycle/awaited.ts";
import { findDated } from "../lifecycle/dated.ts";
import type { PendingWork } from "../lifecycle/decide.ts";
import { describeRequester } from "../lifecycle/permit.ts";
import { describeWait, needsProof } from "../lifecycle/retirement.ts";
import { findQueued } from "../record/queued.ts";
import { chooseAccount } from "../record/slots.ts";
import type { Instant } from "../time.ts";
import { findOpenHold, type Situation, type TimedWork } from "./situation.ts";
import { count, withoutPeriod } from "./words.ts";

export type StepKind = (typeof stepKinds)[number];

/** Something that happens next without a person, unless its kind is `person`. */
export interface NextStep {
  readonly kind: StepKind;
  readonly what: string;
  /** Absent while a worker does it, and when no time is known. */
  readonly at?: Instant;
  readonly why: string;
}

/** What happens next, in order. The first step with a time is what the engine does at that time. Never empty. */
export function listNext(situation: Situation): NextStep[] {
  const work = situation.work.flatMap((one) => describe(situation, one));
  const steps = findClaimEnd(situation) === undefined ? work : insertClaim(situation, work);
  return needsPerson(steps) ? [...steps, describePerson(situation)] : steps;
}

/** When a sweep finds the target of a worker that does not release its claim. Undefined without a claim. */
function findClaimEnd({ record, now }: Situation): Instant | undefined {
  const { owner, until = now } = record.claim;
  if (owner === undefined) return undefined;
  return until > now ? until : now;
}

/** The steps until the claim ends happen at times that only the worker knows. */
function insertClaim(situation: Situation, work: readonly NextStep[]): NextStep[] {
  const { isClaimed, now } = situation;
  const end = findClaimEnd(situation) ?? now;
  const isBefore = ({ at = now }: NextStep) => at <= end;
  const early = work.filter(isBefore);
  const later = work.filter((step) => !isBefore(step));
  const claimEnd: NextStep = { kind: "claim-ends", at: end, ...describeClaimEnd(situation) };
  if (isClaimed) return [...early.map(({ at: _, ...step }) => step), claimEnd, ...later];
  return [claimEnd, ...early.map((step) => ({ ...step, at: end })), ...later];
}

function describeClaimEnd({ record, isClaimed, now }: Situation): Described {
  if (isClaimed) {
    return {
      what: "The worker has released the target, or another worker takes it",
      why: "a dead worker keeps its claim until then",
    };
  }
  const isOver = (record.claim.until ?? now) <= now;
  return {
    what: isOver
      ? "A sweep takes the target from the worker that did not release it"
      : "A sweep finds the target, unless a message about it comes earlier",
    why: "the journal lists a claimed target at the end of its claim",
  };
}

function describe(situation: Situation, { work, at }: TimedWork): NextStep[] {
  const described = steps[work](situation);
  const first = { kind: work, ...described, at };
  const { waiting, now } = situation;
  // The engine evaluates the policy at that time, and then schedules the rotation again.
  const isHeld = (work === "start" || work === "resume") && at <= now && waiting !== undefined;
  if (!isHeld) return [first];
  const until = waiting.until !== undefined && waiting.until > now ? waiting.until : undefined;
  const why = withoutPeriod(waiting.why);
  return [
    { ...first, what: "Evaluate the policy, and schedule the rotation again", why },
    { kind: work, what: described.what, why, ...(until !== undefined && { at: until }) },
  ];
}

/** Nothing doubts the secret. */
const heartbeatWhy = "a heartbeat, as often as `verifyEvery` of the policy says";

type Described = Pick<NextStep, "what" | "why">;

const steps: Readonly<Record<PendingWork["work"], (situation: Situation) => Described>> = {
  adopt: (situation) => ({
    what: "Adopt the target: log in with the stored password and change nothing",
    why: withDelay(
      situation,
      situation.record.lastFailure
        ? "the last try failed"
        : "Keyturn proves a credential before it manages the credential",
    ),
  }),
  join: ({ record }) => ({
    what: `Continue rotation ${record.rotation?.id ?? ""} for the request`,
    why: record.request ? withoutPeriod(describeRequester(record.request)) : "a request waits",
  }),
  start: (situation) => ({
    what: describeStart(situation),
    why: withDelay(situation, explainStart(situation)),
  }),
  resume: (situation) => {
    const { id = "", phase = "", heldBy, failures = 0 } = situation.record.rotation ?? {};
    const hold = findOpenHold(situation)?.why;
    const usual = failures > 0 ? "the last attempt failed" : "the rotation is open";
    return {
      what: `Continue rotation ${id} (phase \`${phase}\`)`,
      why: withDelay(situation, heldBy ?? hold ?? usual),
    };
  },
  check: (situation) => ({
    what: `Log in with the published secret ${situation.target.publish.name}`,
    why: withDelay(situation, situation.record.check?.why ?? heartbeatWhy),
  }),
  remind: (situation) => ({
    what: "Remind people that a new value is due",
    why: withDelay(situation, situation.record.awaited?.why ?? "nobody has handed one over"),
  }),
  refresh: ({ record }) => ({
    what: "Notify the consumers of the published version",
    why:
      (record.refresh?.failures ?? 0) > 0
        ? "a consumer was away at the last try"
        : "no rotation has published the version, so nobody has notified them",
  }),
  retire: (situation) => {
    const { record } = situation;
    const { account = "", accountStays = false } = record.retirement ?? {};
    const what = accountStays
      ? `End the superseded password of account ${account}; the published one stays`
      : needsProof(record)
        ? `Check whether account ${account} is unused, and retire it once that is proven`
        : `Retire account ${account}, so that its superseded password no longer works`;
    return { what, why: withDelay(situation, `the retirement waits for ${describeWait(record)}`) };
  },
  notify: ({ record }) => ({
    what: `Send ${count(record.outbox.length, "notification")}`,
    why: record.outbox.some(({ toldTo }) => toldTo === undefined)
      ? "what happened is not delivered to every notifier yet"
      : "a notifier did not accept everything at the last try",
  }),
};

function describeStart({ target, record }: Situation): string {
  const { secret } = record.given ?? {};
  if (secret?.by === "import")
    return `Put the imported secret of account ${secret.account} in force`;
  if (secret) return `Publish the previous secret of account ${secret.account} again`;
  return `Start a rotation of account ${chooseAccount(target, record)}`;
}

function explainStart({ record, now }: Situation): string {
  const { nextDue, dueReason = "the rotation is due" } = record;
  const request = findQueued(record) ?? findDated(record)?.asked;
  const requested = request && (request.notBefore ?? now);
  const isRequested = requested !== undefined && (nextDue === undefined || requested <= nextDue);
  return request && isRequested ? (request.heldBy ?? describeRequester(request)) : dueReason;
}

/** The reason, with what postpones all work on the target. */
function withDelay({ record, now }: Situation, why: string): string {
  const { skipped, restUntil } = record;
  const reason = withoutPeriod(why);
  if (restUntil !== undefined && restUntil > now && restUntil >= (skipped?.until ?? "")) {
    return `${reason}; an error in Keyturn postpones it until ${restUntil}`;
  }
  if (!skipped || skipped.until <= now) return reason;
  return `${reason}; postponed until ${skipped.until}: ${withoutPeriod(skipped.why)}`;
}

/** Whether no rotation, adoption or attempt comes without a person. */
function needsPerson(found: readonly NextStep[]): boolean {
  return !found.some(({ kind }) => ["adopt", "join", "start", "resume"].includes(kind));
}

function describePerson({ target, record }: Situation): NextStep {
  if (record.awaited && !record.rotation) {
    const what = "A person hands over a new value";
    return { kind: "person", what, why: withoutPeriod(describeAwaited(target)) };
  }
  if (record.rotation) {
    return {
      kind: "person",
      what: "No attempt until a person fixes the cause and requests a rotation",
      why: "wrong guesses lock accounts, and no stored password is known to work",
    };
  }
  return {
    kind: "person",
    what: "No rotation until a person requests one or reports an exposure",
    why: withoutPeriod(record.dueReason ?? `policy ${target.policy.name} makes none due`),
  };
}
