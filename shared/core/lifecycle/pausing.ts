import { ConfigError } from "../errors.ts";
import { describePause, findPause, isSamePause, type Pause } from "../record/pause.ts";
import { type TargetRecord } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";
import { maxNameLength, shorten } from "../shorten.ts";
import { day, formatDuration, type Instant, plus } from "../time.ts";

/** Milliseconds. A longer pause is a policy, and somebody would forget it. */
const maxPauseMs = 90 * day;

/** A pause as a person wants it. */
export type PauseInput = Pick<Pause, "reason" | "ticket" | "by" | "until">;

export interface AcceptedPause {
  /** The same object as before when the pause changes nothing. */
  readonly record: TargetRecord;
  readonly pause: Pause;
  /** The pause that was in force and is replaced. */
  readonly replaced?: Pause;
  /** What happens to the target until the end, for the person who paused it. */
  readonly effect: string;
}

/** Throws ConfigError unless the pause ends, in the future, and not too late. */
export function requireEnd({ until }: PauseInput, now: Instant): void {
  if (until <= now) throw new ConfigError("`until` must be in the future");
  if (until <= plus(now, maxPauseMs)) return;
  throw new ConfigError(`\`until\` must be at most ${formatDuration(maxPauseMs)} ahead`);
}

/** The record with the pause. A pause in force gets the new end and the new reason. */
export function acceptPause(
  record: TargetRecord,
  { reason, ticket, by, until }: PauseInput,
  now: Instant,
): AcceptedPause {
  const known = findPause(record, now);
  const added = {
    reason: shorten(reason, maxNameLength),
    ...(ticket !== undefined && { ticket: shorten(ticket, maxNameLength) }),
    by: shorten(by, maxNameLength),
    until,
  };
  // A repeated request writes nothing.
  const pause =
    known && isSamePause(known, { ...added, at: known.at })
      ? known
      : { ...added, at: afterForces(record, now) };
  return {
    record: pause === known ? record : { ...record, pause },
    pause,
    ...(known && { replaced: known }),
    effect: describeEffect(record, until),
  };
}

/** Now, or later than every force of the record: the clock may have gone backwards, and the later word counts. */
function afterForces(
  { rotation, request, given, dated = [], again }: TargetRecord,
  now: Instant,
): Instant {
  const forces = [rotation, request, given, again, ...dated].flatMap((one) => one?.force?.at ?? []);
  const last = forces.sort().at(-1);
  return last !== undefined && last >= now ? plus(last, 1) : now;
}

function describeEffect({ rotation }: TargetRecord, until: Instant): string {
  const nothing = `No rotation and no retirement starts before ${until}.`;
  if (!rotation || rotation.phase === "blocked") return nothing;
  const follows = mayHaveChanged(rotation)
    ? "may have changed the password already, so Keyturn finishes it"
    : "has changed nothing and waits until then";
  return `${nothing} Rotation ${rotation.id} ${follows}.`;
}

export interface AcceptedResume {
  /** The same object as before when no pause ends. */
  readonly record: TargetRecord;
  /** The pause that ends now. */
  readonly ended?: Pause;
  /** A pause that somebody set after the caller wanted to end another one. It stays. */
  readonly newer?: Pause;
}

/**
 * The record without the pause `seen`, which the caller wants to end. A pause that somebody has set meanwhile stays, because the caller
 * cannot know its reason.
 */
export function acceptResume(
  record: TargetRecord,
  seen: Pause | undefined,
  now: Instant,
): AcceptedResume {
  const { pause, ...rest } = record;
  const inForce = findPause(record, now);
  if (pause === undefined || inForce === undefined) return { record };
  return isSamePause(pause, seen) ? { record: rest, ended: pause } : { record, newer: pause };
}

/** A sentence about a resume, for the person who wanted it. */
export function describeResume({ ended, newer }: Omit<AcceptedResume, "record">): string {
  if (newer)
    return `Somebody paused the target again meanwhile, and this pause stays: ${describePause(newer)}.`;
  return ended ? `The pause has ended: ${describePause(ended)}.` : "The target was not paused.";
}
