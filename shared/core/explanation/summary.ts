import { describePause, findPause } from "../record/pause.ts";
import { findQueued } from "../record/queued.ts";
import type { Rotation } from "../record/record.ts";
import type { Situation } from "./situation.ts";
import type { ReadableState } from "./state.ts";
import { count, withoutPeriod } from "./words.ts";

/** What a person on duty reads first. Never empty. */
export function summarize(state: ReadableState, situation: Situation): string {
  const summary = `${summaries[state](situation)}${describeHumanPause(situation)}`;
  const { refusedSince } = situation.record;
  if (refusedSince === undefined) return summary;
  return `Consumers may be unable to log in since ${refusedSince}: the target refuses the published secret. ${summary}`;
}

/** A pause is no state: checks go on, and a rotation that may have changed the password ends. */
function describeHumanPause({ record, now, waiting }: Situation): string {
  const pause = findPause(record, now);
  // The sentence about a rotation that waits for the pause has named it.
  if (!pause || waiting?.why.includes(describePause(pause)) === true) return "";
  return ` It is ${withoutPeriod(describePause(pause))}.`;
}

const summaries: Readonly<Record<ReadableState, (situation: Situation) => string>> = {
  new: ({ target, isClaimed, work }) =>
    isClaimed
      ? `A worker is adopting target ${target.id} now: it logs in with the stored password and changes nothing.`
      : `Target ${target.id} is new: Keyturn adopts it ${describeTime(work)}, and changes nothing while it adopts it.`,
  healthy: (situation) => `Target ${situation.target.id} is healthy; ${describeDue(situation)}.`,
  retiring: (situation) => {
    const { target, record } = situation;
    const { account = "", accountStays = false } = record.retirement ?? {};
    const end = accountStays ? "ends it" : "retires the account";
    return `Target ${target.id} is healthy; the superseded password of ${account} still works until Keyturn ${end}.`;
  },
  due: ({ target, isClaimed, record }) => {
    const is = findQueued(record) ? "requested" : "due";
    return isClaimed
      ? `A worker is working on target ${target.id} now; a rotation of it is ${is}.`
      : `A rotation of target ${target.id} is ${is} and starts with the next sweep.`;
  },
  waiting: ({ target, waiting, record }) => {
    if (!record.rotation && record.awaited) {
      return `A new value of target ${target.id} is due since ${record.awaited.since}: ${waiting?.why ?? ""}.`;
    }
    const subject = record.rotation
      ? `Rotation ${record.rotation.id} of target ${target.id}`
      : `The next rotation of target ${target.id}`;
    const until = waiting?.until === undefined ? "" : ` until ${waiting.until}`;
    const why = waiting?.why ?? record.again?.heldBy ?? "";
    return `${subject} waits${until}: ${withoutPeriod(why)}.`;
  },
  rotating: ({ target, record, isClaimed }) => {
    const { id = "", account = "", phase = "" } = record.rotation ?? {};
    return isClaimed
      ? `A worker is changing account ${account} of target ${target.id} now (phase \`${phase}\`).`
      : phase === "blocked"
        ? `Rotation ${id} of target ${target.id} was blocked, and continues with the next sweep because of a request.`
        : `Rotation ${id} of target ${target.id} continues with the next sweep (phase \`${phase}\`).`;
  },
  retrying: ({ target, record }) => {
    const { rotation } = record;
    if (!rotation) return "";
    const next = `tries again at ${rotation.nextAttemptAt ?? "the next sweep"}`;
    return `${describeAttempts(rotation)} of target ${target.id}, and ${next}${describeCause(record)}.`;
  },
  stalled: ({ target, record }) => {
    const { rotation } = record;
    if (!rotation) return "";
    return (
      `${describeAttempts(rotation)} of target ${target.id}, which is all that its policy allows; because the password may have ` +
      `changed, the rotation stays open and tries again at ${rotation.nextAttemptAt ?? "the next sweep"}${describeCause(record)}.`
    );
  },
  failing: (situation) => {
    const { target, record, work } = situation;
    if (record.adoptedAt === undefined) {
      return `Keyturn could not adopt target ${target.id}, and tries again ${describeTime(work)}${describeCause(record)}.`;
    }
    const what = record.again
      ? `The last rotation of target ${target.id} failed`
      : `Target ${target.id} is failing`;
    return `${what}, and ${describeDue(situation)}${describeCause(record)}.`;
  },
  blocked: ({ target, record, work }) => {
    const retry =
      record.rotation === undefined && work.length > 0
        ? `Keyturn tries again ${describeTime(work)}, but a person must act`
        : "Keyturn does nothing until a person acts and requests a rotation";
    return `Target ${target.id} is blocked, because no stored password is known to work; ${retry}${describeCause(record)}.`;
  },
  resting: ({ target, record }) =>
    `Target ${target.id} rests because of an error in Keyturn itself until ${record.restUntil ?? "later"}${describeCause(record)}.`,
};

function describeAttempts({ id, account, failures }: Rotation): string {
  if (failures === 0) return `Rotation ${id} is changing account ${account}`;
  return `Rotation ${id} failed ${count(failures, "time")} to change account ${account}`;
}

function describeCause({ lastFailure }: Situation["record"]): string {
  return lastFailure ? `: ${withoutPeriod(lastFailure.message)}` : "";
}

function describeTime([first]: Situation["work"]): string {
  return first ? `at ${first.at}` : "with the next sweep";
}

function describeDue({ record }: Situation): string {
  const { nextDue } = record;
  return nextDue === undefined
    ? "no rotation is scheduled"
    : `the next rotation is due at ${nextDue}`;
}
