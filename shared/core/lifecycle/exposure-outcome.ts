import type { Due } from "../policy/due/schedule.ts";
import { describePause, findPause } from "../record/pause.ts";
import type { TargetRecord } from "../record/record.ts";
import { findPublicAt } from "../record/rotation.ts";
import type { Target } from "../target.ts";
import { between, findEarliest, formatDuration, hour, type Instant, plus } from "../time.ts";
import { describeWaiting, type Waiting } from "./waiting.ts";

/** The effect of a reported exposure. */
export interface ExposureOutcome {
  /** Whether this or an earlier exposure makes a change due. An exposure that does not may still be recorded. */
  readonly counted: boolean;
  /** Why, and what the caller can do if Keyturn does not act by itself. */
  readonly why: string;
  /** The planned time of the change, if there is one. */
  readonly nextDue?: Instant;
  /** The rotation that is queued or under way and changes the secret. */
  readonly rotationId?: string;
}

interface Recorded {
  readonly target: Target;
  /** An additional sentence about the exposed secret. */
  readonly note: string | undefined;
  /** When the policy wants a change now that the exposure is known. */
  readonly due: Due;
  readonly now: Instant;
}

const request = "request a rotation with cause exposure";
const liftingRequest = `${request}, with liftFreeze if a freeze is in force`;

/** Describes the effect of the exposure in `record`. */
export function describeExposureOutcome(record: TargetRecord, recorded: Recorded): ExposureOutcome {
  const { target, note, now } = recorded;
  const obstacle = blockedBy(record);
  if (obstacle !== undefined) return { counted: false, why: obstacle };
  const change = changeUnderWay(record, target, now);
  const { advice, ...outcome } =
    change?.isOpen && target.policy.afterExposure !== undefined
      ? answeredBy(change)
      : afterPause(record, byClock(record, change, recorded), now);
  const parts = [outcome.why, note, change?.why, advice];
  return {
    ...outcome,
    why: parts.filter((part) => part !== undefined && part !== "").join("; "),
    ...(change && { rotationId: change.rotationId }),
  };
}

/** An outcome with advice, which is the last part of its sentence. */
interface Advised extends Omit<ExposureOutcome, "rotationId"> {
  readonly advice?: string;
}

function blockedBy({ rotation, health, adoptedAt, lastFailure }: TargetRecord): string | undefined {
  const isBlocked = rotation?.phase === "blocked";
  if (!isBlocked && !(adoptedAt === undefined && health === "blocked")) return undefined;
  const found = lastFailure ? ` (${lastFailure.message})` : "";
  return `recorded, but the target is blocked${found}: fix the cause, then ${request}; until then Keyturn changes nothing`;
}

interface Change {
  readonly rotationId: string;
  readonly isOpen: boolean;
  readonly why: string;
  readonly waiting: Waiting | undefined;
}

/** The rotation that will change the secret in any case: an open one whose secret cannot be public yet, or a queued one. */
function changeUnderWay(record: TargetRecord, target: Target, now: Instant): Change | undefined {
  const { rotation, request: queued } = record;
  const isOpen = rotation !== undefined && findPublicAt(rotation) === undefined;
  const rotationId = isOpen ? rotation.id : queued?.rotationId;
  if (rotationId === undefined || (!isOpen && rotation?.id === rotationId)) return undefined;
  const waiting = describeWaiting(record, rotationId, target, now);
  const until = waiting?.until === undefined ? "" : ` until ${waiting.until}`;
  const waits = waiting ? ` and waits${until}: ${waiting.why}` : "";
  const how = isOpen ? "is under way" : "is queued";
  const why = `rotation ${rotationId}, which changes the secret, ${how}${waits}`;
  return { rotationId, isOpen, waiting, why };
}

/** The sentence about the rotation is the whole explanation. */
function answeredBy({ waiting }: Change): Advised {
  return { counted: true, why: "", ...toNextDue(waiting?.until) };
}

/** A pause delays the change that the exposure makes due. */
function afterPause(record: TargetRecord, outcome: Advised, now: Instant): Advised {
  const pause = findPause(record, now);
  const { nextDue, why } = outcome;
  if (!pause || nextDue === undefined || nextDue >= pause.until) return outcome;
  return {
    ...outcome,
    nextDue: pause.until,
    why: `${why}; the target is ${describePause(pause)}, which delays the change`,
    advice: `to change it sooner, ${request} and force`,
  };
}

function byClock(record: TargetRecord, change: Change | undefined, recorded: Recorded): Advised {
  const { target, due, now } = recorded;
  const { name, afterExposure } = target.policy;
  if (afterExposure === undefined) {
    const why = `recorded, but policy ${name} has no afterExposure, so an exposure does not start a rotation`;
    const advice = change ? {} : { advice: `${request}, or set afterExposure` };
    return {
      counted: false,
      why,
      ...advice,
      ...toNextDue(change?.waiting?.until ?? findPlannedStart(record)),
    };
  }
  const seenAt = record.exposure?.at ?? now;
  if (record.adoptedAt === undefined) {
    const clock = `${formatDuration(afterExposure)} after ${seenAt}`;
    const why = `policy ${name}: after the adoption of the target, a change is due ${clock}`;
    return { counted: true, why };
  }
  if (due.at === undefined) {
    return { counted: false, why: `recorded, but ${due.reason}`, advice: liftingRequest };
  }
  return {
    counted: true,
    ...describePlan(record, due.at, due.reason, pickLater(plus(seenAt, afterExposure), now)),
  };
}

/** `wanted`: when the change would be due without windows and freezes. */
function describePlan(
  record: TargetRecord,
  dueAt: Instant,
  reason: string,
  wanted: Instant,
): Omit<Advised, "counted"> {
  const at = findEarliest(findPlannedStart(record), dueAt) ?? dueAt;
  const why =
    at === dueAt
      ? reason
      : `${reason}; the next rotation starts sooner, at ${at}: ${record.dueReason ?? ""}`;
  const isLate = between(wanted, at) >= hour;
  const advice = isLate ? { advice: `to change it sooner, ${liftingRequest}` } : {};
  return { why, nextDue: at, ...advice };
}

/** The next change by schedule, or the next try after a failure. Undefined while a rotation is open, because its end reschedules the target. */
export function findPlannedStart({
  rotation,
  adoptedAt,
  nextDue: at,
}: TargetRecord): Instant | undefined {
  return rotation || adoptedAt === undefined ? undefined : at;
}

function pickLater(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

export function toNextDue(at: Instant | undefined): Pick<ExposureOutcome, "nextDue"> {
  return at === undefined ? {} : { nextDue: at };
}
