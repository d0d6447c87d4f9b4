import { findConflict } from "../dry-run.ts";
import { findObstacle, findUndo } from "../lifecycle/given.ts";
import { findNotBlocked } from "../lifecycle/unblock.ts";
import { plus } from "../time.ts";
import type { Action } from "./action.ts";
import { post } from "./post.ts";
import type { Situation } from "./situation.ts";
import type { ReadableState } from "./state.ts";

/** What a person can do about a password that does not work, other than a rotation. Each has an effect in this state. */
export function suggestRecovery(state: ReadableState, situation: Situation): Action[] {
  if (situation.isClaimed) return [];
  return [
    ...suggestUnblock(state, situation),
    ...suggestUndo(situation),
    ...suggestImport(situation),
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

/** Suggested for as long as the grace lasts: later, consumers have shown that the new password works. */
function suggestUndo(situation: Situation): Action[] {
  const { record, target, now } = situation;
  const { lastSuccessAt } = record;
  const isRecent = lastSuccessAt !== undefined && now < plus(lastSuccessAt, target.grace);
  if (!isRecent || findObstacle(record, target, now)) return [];
  const previous = findUndo(record, target, now);
  if ("refused" in previous) return [];
  const how = previous.mayApply ? "is set again" : "still works";
  return [
    {
      kind: "undo",
      do: "Undo the last rotation, if consumers do not work with the new password.",
      why: `The previous password of ${previous.account} ${how} and becomes the published one.`,
      command: post(situation, "undo"),
    },
  ];
}

/** Somebody may have changed the password on the target. */
function suggestImport(situation: Situation): Action[] {
  const { record, target, now } = situation;
  if (record.refusedSince === undefined || findObstacle(record, target, now)) return [];
  const account = record.active ?? "";
  return [
    {
      kind: "import",
      do: `Import the password of ${account}, if somebody changed it on the target.`,
      why: "The target refuses the published password. An imported one is published if the target accepts it.",
      command: `keyturn import ${target.id} --account ${account} --never-apply`,
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
