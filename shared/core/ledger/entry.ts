import { toPrintable } from "../printable.ts";
import { maxNameLength, maxWhyLength, shorten } from "../shorten.ts";
import type { Instant } from "../time.ts";
import type { LedgerAction, LedgerOutcome } from "./actions.ts";

/** One thing that happened: who, what, when, why. It never contains a secret. Plain JSON. */
export interface LedgerEntry {
  /** A ULID. An entry that is written twice keeps its id. */
  readonly id: string;
  readonly at: Instant;
  /** The caller; `keyturn` or `schedule` for what nobody requested. */
  readonly by: string;
  readonly action: LedgerAction;
  readonly outcome: LedgerOutcome;
  /** Ids of targets, at most `maxTargets`. */
  readonly targets?: readonly string[];
  /** The targets in words, where they were not named one by one. */
  readonly selection?: string;
  /** Ids of rotations. */
  readonly rotations?: readonly string[];
  /** Why a rotation begins, such as `schedule` or `exposure`. */
  readonly cause?: string;
  /** Why, in the words of the caller. */
  readonly reason?: string;
  /** The ticket that the caller named. */
  readonly ticket?: string;
  /** What else a reader should know, in a sentence. */
  readonly detail?: string;
}

const maxTargets = 100;

type Required = Pick<LedgerEntry, "id" | "at" | "by" | "action" | "outcome">;

/** An entry as its author gives it: a field may be undefined. */
export type EntryInput = Required & {
  readonly [K in Exclude<keyof LedgerEntry, keyof Required>]?: LedgerEntry[K] | undefined;
};

/** The entry with texts that a terminal can show and that fit into a row, and without fields that are undefined. */
export function boundEntry(given: EntryInput): LedgerEntry {
  const { id, at, by, action, outcome, targets, selection, rotations } = given;
  const { cause, reason, ticket, detail } = given;
  return {
    ...{ id, at, by: brief(by, maxNameLength), action, outcome },
    ...(targets && { targets: targets.slice(0, maxTargets) }),
    ...(selection !== undefined && { selection: brief(selection, maxWhyLength) }),
    ...(rotations && { rotations: rotations.slice(0, maxTargets) }),
    ...(cause !== undefined && { cause: brief(cause, maxNameLength) }),
    ...(reason !== undefined && { reason: brief(reason, maxWhyLength) }),
    ...(ticket !== undefined && { ticket: brief(ticket, maxNameLength) }),
    ...(detail !== undefined && { detail: brief(detail, maxWhyLength) }),
  };
}

function brief(text: string, maxLength: number): string {
  return shorten(toPrintable(shorten(text, maxLength)), maxLength);
}
