import type { EventType } from "../../../shared/app.ts";
import type { KeyturnEvent } from "../app/events.ts";
import type { Counts } from "./counts.ts";
import { printable } from "./printable.ts";
import { wrapWords } from "./wrap.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Colours a text, or leaves it as it is where nobody would see colours. */
export type Paint = (style: Style, text: string) => string;

interface Wording {
  readonly word: string;
  readonly style?: Style;
  /** Falls back to what the event says itself. */
  readonly text: string | ((event: KeyturnEvent) => string);
}

const reasons: Readonly<Record<string, string>> = {
  schedule: "by schedule",
  operator: "somebody asked for it",
  exposure: "somebody saw the password",
  first: "it never had one from Keyturn",
};

/**
 * Every type of event has an entry, or the compiler refuses this file. `claimed`, `looked` and `applied` have no line: the
 * line of the phase that follows says as much.
 */
const wordings: Readonly<Record<EventType, Wording | undefined>> = {
  claimed: undefined,
  applied: undefined,
  looked: undefined,
  adopted: { word: "adopted", style: "cyan", text: tellAdoption },
  "held-back": { word: "delayed", style: "yellow", text: tellDelay },
  started: { word: "starts", style: "bold", text: tellStart },
  staged: { word: "staged", text: "made a new password and stored it as pending" },
  verified: { word: "applied", text: "the database has it, and a log-in proves it" },
  published: { word: "published", text: "consumers read the new version from now on" },
  checked: { word: "checked", text: "read back from Key Vault, and it logs in" },
  refreshed: { word: "refreshed", text: "nobody is left to be told" },
  cleaned: { word: "cleaned", text: "the pending version is disabled" },
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
  "lease-lost": { word: "left", style: "yellow", text: "another worker has taken over" },
  "claim-lost-after-change": { word: "! late", style: "red", text: tellDetail },
  "checked-published": { word: "checked", text: tellDetail },
  "version-limit": { word: "versions", style: "yellow", text: tellDetail },
  "shape-differs": { word: "shape", style: "yellow", text: tellDetail },
  "not-kept": { word: "not kept", style: "yellow", text: tellDetail },
  "left-alone": { word: "left", style: "yellow", text: tellDetail },
  "notification-failed": { word: "untold", style: "yellow", text: tellDetail },
  "config-changed": { word: "edited", style: "cyan", text: tellDetail },
  "config-refused": { word: "! config", style: "red", text: tellDetail },
  "config-unreadable": { word: "config", style: "yellow", text: tellDetail },
  "config-not-kept": { word: "config", style: "yellow", text: tellDetail },
  "journal-unavailable": { word: "! journal", style: "red", text: tellDetail },
  "message-unreadable": { word: "! message", style: "red", text: tellDetail },
  "gave-up": { word: "! gave up", style: "red", text: tellDetail },
};

const wordWidth = Math.max(...Object.values(wordings).map((known) => known?.word.length ?? 0));

/** Characters. Where less is left beside the other columns, the text has this many and the line is too long. */
const narrowest = 24;

/** Columns below which the gaps between the columns are narrow, for most texts to fit on one line. */
const roomy = 100;

interface Look {
  readonly paint: Paint;
  readonly targetWidth: number;
  /** What the API says of the target by now; absent when it could not be asked. */
  readonly standing?: Standing;
  /** Columns of the terminal. The text is wrapped between words, below itself. Not wrapped when absent. */
  readonly width?: number;
}

/** What the person at the console reads about one event; undefined for what only a log needs. */
export function formatLine(event: KeyturnEvent, look: Look): string | undefined {
  const known = findWording(event.type);
  if (known === undefined) return undefined;
  const { paint, targetWidth, standing, width = Infinity } = look;
  const nextDue = standing?.nextDue;
  const { word, style, text } = known;
  const said = printable(typeof text === "string" ? text : text(event));
  const left = event.type === "failed" ? tellPublished(standing) : "";
  const next = nextDue === undefined ? left : tellNext(event, left, moment(nextDue, event.at));
  const [gap, tookWidth] = width < roomy ? [" ", 6] : ["  ", 7];
  const columns = [
    clock(event.at),
    printable(event.targetId ?? "").padEnd(targetWidth),
    printable(word).padEnd(wordWidth),
    tellDuration(event.duration).padStart(tookWidth),
  ] as const;
  const indent = columns.join(gap).length + gap.length;
  const [at, target, what, took] = columns;
  const lines = wrapWords(said + next, Math.max(narrowest, width - indent));
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

/** A log may hold types that are newer than this reader. */
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
  return `a new password for ${account}: ${reasons[reason] ?? reason}`;
}

function tellSuccess({ account = "", version }: KeyturnEvent): string {
  return `${account} is published as version ${shortVersion(version?.version)}`;
}

function tellRestoration({ account = "", version }: KeyturnEvent): string {
  const again = `${account} is published again as version ${shortVersion(version?.version)}`;
  return `the server refuses the new password, so the last good one of ${again}`;
}

function tellDelay(event: KeyturnEvent): string {
  const { nextAttemptAt } = event;
  const then = nextAttemptAt === undefined ? "" : `; goes on at ${moment(nextAttemptAt, event.at)}`;
  return `the rotation waits: ${tellDetail(event) || "no reason was told"}${then}`;
}

function tellUse({ account = "", nextAttemptAt, at }: KeyturnEvent): string {
  return `the superseded account ${account} still has sessions${lookAgain(nextAttemptAt, at)}`;
}

function tellDisuse({ account = "", nextAttemptAt, at }: KeyturnEvent): string {
  return `the superseded account ${account} has no sessions${lookAgain(nextAttemptAt, at)} before it is retired`;
}

const lookAgain = (next: string | undefined, from: string): string =>
  next === undefined ? "; Keyturn looks again" : `; Keyturn looks again at ${moment(next, from)}`;

/** Keyturn leaves the target alone for a while and then tries again. */
function tellBug(event: KeyturnEvent): string {
  return `an error in Keyturn itself: ${tellDetail(event) || "no reason was told"}`;
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
        ? "the rotation goes on without it"
        : "Keyturn tries again later";
  return `${where === undefined ? "" : `${where}: `}${why(event)}; ${then}`;
}

/** How a target stands, as far as it says what consumers read and when its turn comes. */
export interface Standing {
  /** An ISO time. */
  readonly nextDue?: string | undefined;
  readonly active?: string | undefined;
  readonly published?: unknown;
  readonly slots: readonly { readonly account: string; readonly abandoned?: unknown }[];
}

/** What a failed rotation left for consumers to read: a sentence that is claimed only where it is true. */
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
  return `${why(event)}; Keyturn leaves it alone until a person decides`;
}

function tellDrift({ version, detail = "" }: KeyturnEvent): string {
  const what = version ? `version ${shortVersion(version.version)}` : "the published secret";
  return `${what}: ${detail}`;
}

function tellDetail({ detail, failure }: KeyturnEvent): string {
  return detail ?? failure?.message ?? "";
}

function why({ failure }: KeyturnEvent): string {
  return failure?.message ?? "no reason was told";
}

export const shortVersion = (version = ""): string => version.slice(0, 8);

/** Milliseconds as a person says them; nothing for nothing. */
export function tellDuration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return "";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** The local time of day. */
export function clock(instant: string): string {
  return new Date(instant).toTimeString().slice(0, 8);
}

/** The local time of day, with the date where that is not the day of `from`. */
function moment(instant: string, from: string): string {
  const at = new Date(instant);
  const isSameDay = at.toDateString() === new Date(from).toDateString();
  return isSameDay ? clock(instant) : `${at.toLocaleDateString("sv-SE")} ${clock(instant)}`;
}

/** How the consumer fares: first, in one line, what is well, such as `orders: 812 log-ins, 0 failed`; then what is not. */
export function formatSummary(
  counts: Readonly<Record<string, Counts>>,
  pairs: readonly string[],
): string[] {
  const all = Object.entries(counts).map(([id, count]) => {
    const { logIns, failed, recovered, lastProblem = "no reason" } = count;
    const start = `${id}: ${logIns} log-ins, ${failed} failed`;
    if (failed === 0) return { well: true, text: start };
    // For one account that is changed in place, a moment between change and new version is the price.
    const note = pairs.includes(id) ? "" : "; one account is refused for a moment while it changes";
    const text = `${start} (${recovered} worked when read again, last: ${lastProblem}${note})`;
    return { well: false, text };
  });
  const { well = [], ill = [] } = Object.groupBy(all, ({ well }) => (well ? "well" : "ill"));
  const line = well.map(({ text }) => text).join("  ·  ");
  return [...(line === "" ? [] : [line]), ...ill.map(({ text }) => text)].map(printable);
}
