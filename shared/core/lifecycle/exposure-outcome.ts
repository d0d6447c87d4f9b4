import type { Due } from "../policy/due/schedule.ts";
import type { TargetRecord } from "../record/rotation.ts";
import type { Target } from "../target.ts";
import { between, earliest, formatDuration, hour, type Instant, plus } from "../time.ts";
import { describeWaiting, type Waiting } from "./waiting.ts";

/** What a report of an exposure leads to. */
export interface ExposureOutcome {
  /** Whether it makes a change due, or had been made due by an earlier one. One that does not may be recorded. */
  readonly counted: boolean;
  /** Why, and what to do when nothing happens by itself. */
  readonly why: string;
  /** When the secret is changed, as far as that is planned. */
  readonly nextDue?: Instant;
  /** The rotation that is queued or under way and changes the secret. */
  readonly rotationId?: string;
}

interface Recorded {
  readonly target: Target;
  /** What else to know about the secret that was seen. */
  readonly note: string | undefined;
  /** When the policy wants a change now that the exposure is known. */
  readonly due: Due;
  readonly now: Instant;
}

const request = "request a rotation with reason exposure";
const liftingRequest = `${request}, and with liftFreeze where a freeze is in force`;

/** What comes of an exposure that `record` holds by now. */
export function describeExposureOutcome(record: TargetRecord, recorded: Recorded): ExposureOutcome {
  const { target, note, now } = recorded;
  const obstacle = blockedBy(record);
  if (obstacle !== undefined) return { counted: false, why: obstacle };
  const change = changeUnderWay(record, target, now);
  const { advice, ...outcome } =
    change?.isOpen && target.policy.afterExposure !== undefined
      ? answeredBy(change)
      : byClock(record, change, recorded);
  const parts = [outcome.why, note, change?.why, advice];
  return {
    ...outcome,
    why: parts.filter((part) => part !== undefined && part !== "").join("; "),
    ...(change && { rotationId: change.rotationId }),
  };
}

/** An outcome with what to do, which comes last in its sentence. */
interface Advised extends Omit<ExposureOutcome, "rotationId"> {
  readonly advice?: string;
}

function blockedBy({ rotation, health, adoptedAt, lastFailure }: TargetRecord): string | undefined {
  const isBlocked = rotation?.phase === "blocked";
  if (!isBlocked && !(adoptedAt === undefined && health === "blocked")) return undefined;
  const found = lastFailure ? ` (${lastFailure.message})` : "";
  return `recorded, but the target is blocked${found} and nothing is changed until a person acts: fix it, then ${request}`;
}

interface Change {
  readonly rotationId: string;
  readonly isOpen: boolean;
  readonly why: string;
  readonly waiting: Waiting | undefined;
}

/** The rotation that changes the secret anyway: one that has published nothing yet, or one that is queued. */
function changeUnderWay(record: TargetRecord, target: Target, now: Instant): Change | undefined {
  const { rotation, request: queued } = record;
  const isOpen = rotation !== undefined && rotation.published === undefined;
  const rotationId = isOpen ? rotation.id : queued?.rotationId;
  if (rotationId === undefined || (!isOpen && rotation?.id === rotationId)) return undefined;
  const waiting = describeWaiting(record, rotationId, target, now);
  const until = waiting?.until === undefined ? "" : ` until ${waiting.until}`;
  const waits = waiting ? `; it waits${until}: ${waiting.why}` : "";
  const how = isOpen ? "is under way" : "is queued";
  const why = `rotation ${rotationId} ${how} and changes the secret${waits}`;
  return { rotationId, isOpen, waiting, why };
}

/** The sentence about the rotation says it all. */
function answeredBy({ waiting }: Change): Advised {
  return { counted: true, why: "", ...soon(waiting?.until) };
}

function byClock(record: TargetRecord, change: Change | undefined, recorded: Recorded): Advised {
  const { target, due, now } = recorded;
  const { name, afterExposure } = target.policy;
  if (afterExposure === undefined) {
    const why = `recorded, but policy ${name} has no afterExposure, so an exposure makes no rotation due`;
    const advice = change ? {} : { advice: `${request}, or set afterExposure` };
    return {
      counted: false,
      why,
      ...advice,
      ...soon(change?.waiting?.until ?? findPlannedStart(record)),
    };
  }
  const seenAt = record.exposure?.at ?? now;
  if (record.adoptedAt === undefined) {
    const clock = `${formatDuration(afterExposure)} after ${seenAt}`;
    const why = `policy ${name}: a change is due ${clock}, once the target is adopted`;
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

/** `wanted`: when the change would be due if neither hours nor a freeze held it back. */
function describePlan(
  record: TargetRecord,
  dueAt: Instant,
  reason: string,
  wanted: Instant,
): Omit<Advised, "counted"> {
  const at = earliest(findPlannedStart(record), dueAt) ?? dueAt;
  const why = at === dueAt ? reason : `${reason}; sooner, at ${at}: ${record.dueReason ?? ""}`;
  const isLate = between(wanted, at) >= hour;
  const advice = isLate ? { advice: `to change it sooner, ${liftingRequest}` } : {};
  return { why, nextDue: at, ...advice };
}

/** The next change by schedule, or the next try after a failure. While a rotation is open, its end plans anew. */
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

export function soon(at: Instant | undefined): Pick<ExposureOutcome, "nextDue"> {
  return at === undefined ? {} : { nextDue: at };
}
