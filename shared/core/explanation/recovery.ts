import { findConflict } from "../dry-run.ts";
import { findObstacle, findUndo } from "../lifecycle/given.ts";
import { findGuessWait } from "../lifecycle/guess-wait.ts";
import { findHoldOfRequest } from "../lifecycle/permit.ts";
import { findNotBlocked } from "../lifecycle/unblock.ts";
import { describePauseOfRotation, findPause } from "../record/pause.ts";
import { hasGrace, type Target } from "../target.ts";
import { day, plus } from "../time.ts";
import type { Action } from "./action.ts";
import { post } from "./post.ts";
import type { Situation } from "./situation.ts";
import type { ReadableState } from "./state.ts";
import { withoutPeriod } from "./words.ts";

/** What a person can do about a password that does not work, other than a rotation. Each has an effect in this state. */
export function suggestRecovery(state: ReadableState, situation: Situation): Action[] {
  if (situation.isClaimed) return [];
  return [
    ...suggestUnblock(state, situation),
    ...suggestUndo(situation),
    ...suggestImport(situation),
    ...suggestPresentPassword(situation),
    ...suggestDryRun(state, situation),
  ];
}

function suggestUnblock(state: ReadableState, situation: Situation): Action[] {
  const { record, target } = situation;
  if (state !== "blocked" || findNotBlocked(record, target)) return [];
  return [
    {
      kind: "unblock",
      do: "Name the version that holds the correct password, if there is one.",
      why: "Keyturn logs in with that version before anything else, and the target stays blocked if it is wrong.",
      command: post(situation, "unblock", '{"version":"the id of the version"}'),
    },
  ];
}

/**
 * How long an undo is suggested: for as long as the grace lasts. Later, consumers have shown that the new password works. An account with
 * one password has no grace.
 */
const suggestedFor = (target: Target) => (hasGrace(target) ? target.grace : day);

function suggestUndo(situation: Situation): Action[] {
  const { record, target, now } = situation;
  const { lastSuccessAt } = record;
  const isRecent = lastSuccessAt !== undefined && now < plus(lastSuccessAt, suggestedFor(target));
  if (!isRecent || findObstacle(record, target, now)) return [];
  const previous = findUndo(record, target, now);
  if ("refused" in previous) return [];
  const isKept = record.retirement?.accountStays === true;
  const how = previous.mayApply && !isKept ? "is set again" : "still works";
  return [
    {
      kind: "undo",
      do: "Undo the last rotation, if consumers do not work with the new password.",
      why: `The previous password of ${previous.account} ${how} and becomes the published one.${describeGivenWait(situation, "undo")}`,
      command: post(situation, "undo"),
    },
  ];
}

/** Somebody may have changed the password on the target. */
function suggestImport(situation: Situation): Action[] {
  const { record, target, now } = situation;
  if (findObstacle(record, target, now)) return [];
  if (record.awaited) return [importNewValue(situation)];
  if (record.refusedSince === undefined) return [];
  const account = record.active ?? "";
  return [
    {
      kind: "import",
      do: `Import the password of ${account}, if somebody changed it on the target.`,
      why: `The target refuses the published password. An imported one is published if the target accepts it.${describeGivenWait(situation, "import")}`,
      command: `keyturn import ${target.id} --account ${account} --never-apply`,
    },
  ];
}

const importNewValue = (situation: Situation): Action => ({
  kind: "import",
  do: "Import the new value, once its owner has issued one.",
  why: `Nobody but people can get a value of this target.${describeGivenWait(situation, "import")}`,
  command: `keyturn import ${situation.target.id}`,
});

/** What delays an undo or an import that a person requests now. Empty when nothing does. */
function describeGivenWait({ record, target, now }: Situation, reason: "undo" | "import"): string {
  const asked = { reason, requestedBy: "a person", at: now } as const;
  const hold = findHoldOfRequest(asked, record, target, now);
  const pause = findPause(record, now);
  const holds = [
    ...(hold
      ? [{ until: hold.until, why: `${hold.why}; with \`liftFreeze\` it does not wait` }]
      : []),
    ...(pause ? [{ until: pause.until, why: describePauseOfRotation(pause) }] : []),
  ];
  return holds.map(({ until, why }) => ` It waits until ${until}: ${withoutPeriod(why)}.`).join("");
}

/** While the open rotation waits for another guess, nothing but the end of that wait makes it try, and only with a right password. */
function suggestPresentPassword({ record, target, now }: Situation): Action[] {
  const wait = findGuessWait(record, now);
  if (!wait) return [];
  const { account, until, why } = wait;
  const isTheirs = target.slots.some((slot) => slot.account === account);
  const { authority, publish } = target;
  const secret = isTheirs || authority.as !== "admin" ? publish : authority.secret;
  return [
    {
      kind: "fix",
      do: `Store the present password of ${account} in secret ${secret.name}, if somebody changed it on the target.`,
      why: `${why.charAt(0).toUpperCase()}${why.slice(1)} until ${until}, also after a request. Then it tries the newest version first.`,
    },
  ];
}

function suggestDryRun(state: ReadableState, situation: Situation): Action[] {
  const { record, now } = situation;
  const isUseful = state === "failing" || state === "retrying";
  if (!isUseful || record.adoptedAt === undefined || findConflict(record, now)) return [];
  return [
    {
      kind: "dry-run",
      do: "Check what a rotation needs, without changing anything.",
      why: "A dry run makes every check of a rotation and says what to do about each that fails.",
      command: post(situation, "dry-run"),
    },
  ];
}
