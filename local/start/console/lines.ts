import type { EventType } from "../../../shared/app.ts";
import type { KeyturnEvent } from "../app/events.ts";
import type { Counts } from "../demo/consumer-process.ts";
import { printable, wrapWords } from "./text.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Colours a text, or returns it unchanged where colours are not shown. */
export type Paint = (style: Style, text: string) => string;

interface Wording {
  readonly word: string;
  readonly style?: Style;
  /** A fixed text, or one that is made from the event. */
  readonly text: string | ((event: KeyturnEvent) => string);
}

const reasons: Readonly<Record<string, string>> = {
  schedule: "scheduled",
  operator: "requested",
  exposure: "the password was exposed",
  first: "first password from Keyturn",
  drift: "the server refused the published password",
};

/**
 * Every type of event needs an entry, or this file does not compile. `claimed`, `looked` and `applied` have no line, because
 * the line of the next phase implies them.
 */
const wordings: Readonly<Record<EventType, Wording | undefined>> = {
  claimed: undefined,
  applied: undefined,
  looked: undefined,
  adopted: { word: "adopted", style: "cyan", text: tellAdoption },
  "held-back": { word: "delayed", style: "yellow", text: tellDelay },
  started: { word: "starts", style: "bold", text: tellStart },
  staged: { word: "staged", text: "stored a new password as a pending version" },
  verified: { word: "applied", text: "changed the password in the database; it logs in" },
  published: { word: "published", text: "consumers now read the new version" },
  checked: { word: "checked", text: "the version in Key Vault logs in" },
  refreshed: { word: "refreshed", text: "notified all consumers" },
  cleaned: { word: "cleaned", text: "disabled the pending version" },
  succeeded: { word: "✔ rotated", style: "green", text: tellSuccess },
  restored: { word: "restored", style: "yellow", text: tellRestoration },
  "still-in-use": { word: "in use", text: tellUse },
  "seen-unused": { word: "unused", text: tellDisuse },
  retired: { word: "retired", style: "cyan", text: tellRetirement },
  "attempt-failed": { word: "! failed", style: "red", text: tellAttempt },
  failed: { word: "✘ failed", style: "red", text: why },
  blocked: { word: "✘ blocked", style: "red", text: tellBlock },
  bug: { word: "! bug", style: "red", text: tellBug },
  drift: { word: "drift", style: "yellow", text: tellDrift },
  "lease-lost": { word: "lost", style: "yellow", text: "another worker claimed the target" },
  "claim-lost-after-change": { word: "! late", style: "red", text: tellDetail },
  "checked-published": { word: "checked", text: tellDetail },
  "version-limit": { word: "versions", style: "yellow", text: tellDetail },
  "shape-differs": { word: "shape", style: "yellow", text: tellDetail },
  "not-kept": { word: "not kept", style: "yellow", text: tellDetail },
  "left-alone": { word: "skipped", style: "yellow", text: tellDetail },
  "notification-failed": { word: "unsent", style: "yellow", text: tellDetail },
  "config-changed": { word: "edited", style: "cyan", text: tellDetail },
  "config-refused": { word: "! config", style: "red", text: tellDetail },
  "config-unreadable": { word: "config", style: "yellow", text: tellDetail },
  "config-not-kept": { word: "config", style: "yellow", text: tellDetail },
  "journal-unavailable": { word: "! journal", style: "red", text: tellDetail },
  "message-unreadable": { word: "! message", style: "red", text: tellDetail },
  "gave-up": { word: "! stopped", style: "red", text: tellDetail },
};

const wordWidth = Math.max(...Object.values(wordings).map((known) => known?.word.length ?? 0));

/** Characters. The text column is never narrower, even if that makes a line longer than the terminal. */
const minTextWidth = 24;

/** Columns. Below this width the gaps are narrow, so that most texts still fit on one line. */
const minRoomyWidth = 100;

interface Look {
  readonly paint: Paint;
  readonly targetWidth: number;
  /** The state of the target now, from the API; absent when the API did not answer. */
  readonly standing?: Standing;
  /** Columns of the terminal, to wrap the text within its column. Not wrapped when absent. */
  readonly width?: number;
}

/** Formats the line of one event; returns undefined for an event that only the log needs. */
export function formatLine(event: KeyturnEvent, look: Look): string | undefined {
  const known = findWording(event.type);
  if (known === undefined) return undefined;
  const { paint, targetWidth, standing, width = Infinity } = look;
  const nextDue = standing?.nextDue;
  const { word, style, text } = known;
  const message = printable(typeof text === "string" ? text : text(event));
  const left = event.type === "failed" ? tellPublished(standing) : "";
  const next = nextDue === undefined ? left : tellNext(event, left, moment(nextDue, event.at));
  const [gap, tookWidth] = width < minRoomyWidth ? [" ", 6] : ["  ", 7];
  const columns = [
    clock(event.at),
    printable(event.targetId ?? "").padEnd(targetWidth),
    printable(word).padEnd(wordWidth),
    tellDuration(event.duration).padStart(tookWidth),
  ] as const;
  const indent = columns.join(gap).length + gap.length;
  const [at, target, what, took] = columns;
  const lines = wrapWords(message + next, Math.max(minTextWidth, width - indent));
  const painted = (it: string) => (style === undefined ? it : paint(style, it));
  return [
    paint("dim", at),
    paint("bold", target),
    painted(what),
    paint("dim", took),
    lines
      .map((line) => (style === "red" ? paint("red", line) : line))
      .join(`\n${" ".repeat(indent)}`),
  ].join(gap);
}

/** Shows an unknown type, which a newer app may log, under its own name. */
function findWording(type: string): Wording | undefined {
  const isKnown = (it: string): it is EventType => Object.hasOwn(wordings, it);
  return isKnown(type) ? wordings[type] : { word: type, text: tellDetail };
}

function tellAdoption({ version }: KeyturnEvent): string {
  return version
    ? "the published password logs in; nothing was changed"
    : "no published password works yet; nothing was changed";
}

function tellStart({ account = "", reason = "" }: KeyturnEvent): string {
  return `new password for ${account} (${reasons[reason] ?? reason})`;
}

function tellSuccess({ account = "", version }: KeyturnEvent): string {
  return `${account} is published as version ${shortVersion(version?.version)}`;
}

function tellRestoration({ account = "", version }: KeyturnEvent): string {
  const again = `the last working password of ${account} is published again`;
  return `the server refuses the new password; ${again}, as version ${shortVersion(version?.version)}`;
}

function tellDelay(event: KeyturnEvent): string {
  const { nextAttemptAt } = event;
  const then =
    nextAttemptAt === undefined ? "" : `; it continues at ${moment(nextAttemptAt, event.at)}`;
  return `the rotation waits: ${tellDetail(event) || "no reason given"}${then}`;
}

function tellUse({ account = "", nextAttemptAt, at }: KeyturnEvent): string {
  return `the superseded account ${account} still has sessions${tellNextCheck(nextAttemptAt, at)}`;
}

function tellDisuse({ account = "", nextAttemptAt, at }: KeyturnEvent): string {
  return `the superseded account ${account} has no sessions${tellNextCheck(nextAttemptAt, at)} before it retires it`;
}

const tellNextCheck = (next: string | undefined, from: string): string =>
  next === undefined ? "; Keyturn checks again" : `; Keyturn checks again at ${moment(next, from)}`;

function tellBug(event: KeyturnEvent): string {
  return `an error in Keyturn itself: ${tellDetail(event) || "no reason given"}`;
}

function tellRetirement({ account = "" }: KeyturnEvent): string {
  return `the superseded password of ${account} no longer logs in`;
}

function tellAttempt(event: KeyturnEvent): string {
  const { nextAttemptAt, detail, phase } = event;
  const where = detail ?? phase;
  const then =
    nextAttemptAt !== undefined
      ? `Keyturn tries again at ${moment(nextAttemptAt, event.at)}`
      : detail === "left undone"
        ? "the rotation continues without it"
        : "Keyturn tries again later";
  return `${where === undefined ? "" : `${where}: `}${why(event)}; ${then}`;
}

/** The part of a target's state that decides what consumers read and when the next rotation is due. */
export interface Standing {
  /** An ISO time. */
  readonly nextDue?: string | undefined;
  readonly active?: string | undefined;
  readonly published?: unknown;
  readonly slots: readonly { readonly account: string; readonly abandoned?: unknown }[];
}

/** Says what consumers read after a failed rotation. Claims nothing when the state is not known. */
export function tellPublished(standing: Standing | undefined): string {
  if (standing === undefined) return "";
  const { published, active, slots } = standing;
  if (published === undefined) return ". Nothing is published yet.";
  const slot = slots.find(({ account }) => account === active);
  return slot?.abandoned === undefined
    ? ". The published password is unchanged."
    : ". The server may have a newer password than the published one.";
}

function tellNext({ type }: KeyturnEvent, left: string, at: string): string {
  return type === "failed" ? `${left === "" ? "." : left} Next try at ${at}.` : `; next at ${at}`;
}

function tellBlock(event: KeyturnEvent): string {
  return `${why(event)}; Keyturn does not change this target until an operator decides`;
}

function tellDrift({ version, detail = "" }: KeyturnEvent): string {
  const what = version ? `version ${shortVersion(version.version)}` : "the published secret";
  return `${what}: ${detail}`;
}

function tellDetail({ detail, failure }: KeyturnEvent): string {
  return detail ?? failure?.message ?? "";
}

function why({ failure }: KeyturnEvent): string {
  return failure?.message ?? "no reason given";
}

export const shortVersion = (version = ""): string => version.slice(0, 8);

/** Formats milliseconds for a person; returns an empty text for undefined. */
export function tellDuration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return "";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Formats the local time of day. */
export function clock(instant: string): string {
  return new Date(instant).toTimeString().slice(0, 8);
}

/** Formats the local time of day, with the date unless it is the day of `from`. */
function moment(instant: string, from: string): string {
  const at = new Date(instant);
  const isSameDay = at.toDateString() === new Date(from).toDateString();
  return isSameDay ? clock(instant) : `${at.toLocaleDateString("sv-SE")} ${clock(instant)}`;
}

/** Formats the consumer's counts: targets without failures in one line, such as `orders: 812 log-ins, 0 failed`; then the others. */
export function formatSummary(
  counts: Readonly<Record<string, Counts>>,
  pairs: readonly string[],
): string[] {
  const all = Object.entries(counts).map(([id, count]) => {
    const { logIns, failed, recovered, lastProblem = "unknown" } = count;
    const start = `${id}: ${logIns} log-ins, ${failed} failed`;
    if (failed === 0) return { isWell: true, text: start };
    // A single account fails between the change in the database and the publication of the new version.
    const note = pairs.includes(id)
      ? ""
      : "; expected: a single account is refused for a moment while its password changes";
    const text = `${start} (${recovered} worked after reading the secret again, last error: ${lastProblem}${note})`;
    return { isWell: false, text };
  });
  const { well = [], failing = [] } = Object.groupBy(all, ({ isWell }) =>
    isWell ? "well" : "failing",
  );
  const line = well.map(({ text }) => text).join("  ·  ");
  return [...(line === "" ? [] : [line]), ...failing.map(({ text }) => text)].map(printable);
}
