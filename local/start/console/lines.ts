import { type EventType, toPrintable } from "../../../shared/app.ts";
import type { Counts } from "../demo/consumer-process.ts";
import type { KeyturnEvent } from "../environment/functions-host.ts";
import { wrapText } from "./text.ts";
import { findWords, shortenAccount, type Words } from "./words.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Colours a text, or returns it unchanged where colours are not shown. */
export type Paint = (style: Style, text: string) => string;

interface Wording {
  readonly word: string;
  readonly style?: Style;
  /** A fixed text, or one that is made from the event. Default: the detail of the event. */
  readonly text?: string | ((event: KeyturnEvent, words: Words) => string);
}

const causes: Readonly<Record<string, (words: Words) => string>> = {
  schedule: () => "scheduled",
  operator: () => "requested",
  exposure: ({ noun }) => `the ${noun} was exposed`,
  first: ({ noun }) => `first ${noun} from Keyturn`,
  drift: ({ noun }) => `the server refused the published ${noun}`,
};

/**
 * Every type of event needs an entry, or this file does not compile. `claimed`, `looked` and `applied` have no line, because
 * the line of the next phase implies them.
 */
const wordings: Readonly<Record<EventType, Wording | undefined>> = {
  claimed: undefined,
  applied: undefined,
  looked: undefined,
  sealed: undefined,
  "ledger-failed": { word: "ledger", style: "yellow" },
  adopted: {
    word: "adopted",
    style: "cyan",
    text: ({ version }, { noun, works }) =>
      `${version ? `the published ${noun} ${works}` : `no published ${noun} works yet`}; nothing was changed`,
  },
  "held-back": {
    word: "delayed",
    style: "yellow",
    text: (event) =>
      `the target waits: ${describeDetail(event) || noReason}${describeNext(event, "; it continues")}`,
  },
  paused: { word: "paused", style: "yellow" },
  resumed: { word: "resumed", style: "cyan" },
  "rotation-cancelled": { word: "cancelled", style: "cyan" },
  started: {
    word: "starts",
    style: "bold",
    text: ({ account, cause = "" }, words) =>
      `new ${words.change} for ${shortenAccount(account)} (${causes[cause]?.(words) ?? cause})`,
  },
  staged: { word: "staged", text: (_, { staged }) => staged },
  verified: { word: "applied", text: (_, { applied }) => applied },
  published: { word: "published", text: "consumers now read the new version" },
  checked: { word: "checked", text: (_, { works }) => `the version in Key Vault ${works}` },
  refreshed: { word: "refreshed", text: "notified all consumers" },
  cleaned: { word: "cleaned", text: "disabled the pending version" },
  succeeded: {
    word: "✔ rotated",
    style: "green",
    text: ({ account, version }) =>
      `${shortenAccount(account)} is published as version ${shortenVersion(version)}`,
  },
  restored: {
    word: "restored",
    style: "yellow",
    text: ({ account, version }, { noun }) =>
      `the server refuses the new ${noun}; the last working ${noun} of ${shortenAccount(account)} is published again, as version ${shortenVersion(version)}`,
  },
  "still-in-use": {
    word: "in use",
    text: (event) =>
      `the superseded account ${shortenAccount(event.account)} still has sessions; Keyturn checks again${describeNext(event)}`,
  },
  "seen-unused": {
    word: "unused",
    text: (event) =>
      `the superseded account ${shortenAccount(event.account)} has no sessions; Keyturn checks again${describeNext(event)} before it retires it`,
  },
  retired: {
    word: "retired",
    style: "cyan",
    text: ({ account }, { change, works }) =>
      `the superseded ${change} of ${shortenAccount(account)} no longer ${works}`,
  },
  "value-due": { word: "! due", style: "yellow", text: ({ detail = "" }) => detail },
  "attempt-failed": { word: "! failed", style: "red", text: describeAttempt },
  failed: { word: "✘ failed", style: "red", text: describeFailure },
  blocked: {
    word: "✘ blocked",
    style: "red",
    text: (event) =>
      `${describeFailure(event)}; Keyturn does not change this target until an operator decides`,
  },
  bug: {
    word: "! bug",
    style: "red",
    text: (event) => `an error in Keyturn itself: ${describeDetail(event) || noReason}`,
  },
  drift: {
    word: "drift",
    style: "yellow",
    text: ({ version, detail = "" }) =>
      `${version ? `version ${shortenVersion(version)}` : "the published secret"}: ${detail}`,
  },
  "lease-lost": { word: "lost", style: "yellow", text: "another worker claimed the target" },
  "claim-lost-after-change": { word: "! late", style: "red" },
  "checked-published": { word: "checked" },
  "version-limit": { word: "versions", style: "yellow" },
  "shape-differs": { word: "shape", style: "yellow" },
  "not-kept": { word: "not kept", style: "yellow" },
  "left-alone": { word: "skipped", style: "yellow" },
  "notification-failed": { word: "unsent", style: "yellow" },
  "breach-started": { word: "breach", style: "cyan" },
  "breach-paused": { word: "breach", style: "yellow" },
  "breach-resumed": { word: "breach", style: "cyan" },
  "breach-cancelled": { word: "breach", style: "yellow" },
  "breach-ended": { word: "breach", style: "cyan" },
  "config-changed": { word: "edited", style: "cyan" },
  "config-refused": { word: "! config", style: "red" },
  "config-unreadable": { word: "config", style: "yellow" },
  "config-not-kept": { word: "config", style: "yellow" },
  "journal-unavailable": { word: "! journal", style: "red" },
  "message-unreadable": { word: "! message", style: "red" },
  "gave-up": { word: "! stopped", style: "red" },
};

const noReason = "no reason given";

const wordWidth = Math.max(...Object.values(wordings).map((known) => known?.word.length ?? 0));

/** Characters. The text column is never narrower, even if that makes a line longer than the terminal. */
const minTextWidth = 24;

/** Columns. Below this width the gaps are narrow, so that most texts still fit on one line. */
const minRoomyWidth = 100;

interface Look {
  readonly paint: Paint;
  readonly targetWidth: number;
  /** The type of the target. */
  readonly type?: string | undefined;
  /** The state of the target now, from the API; undefined when the API did not answer. */
  readonly standing?: Standing | undefined;
  /** Columns of the terminal, to wrap the text within its column. Not wrapped when absent. */
  readonly width?: number;
}

/** Formats the line of one event; returns undefined for an event that only the log needs. */
export function formatLine(event: KeyturnEvent, look: Look): string | undefined {
  const known = findWording(event.type);
  if (known === undefined) return undefined;
  const { paint, targetWidth, standing, width = Infinity } = look;
  const { word, style, text = describeDetail } = known;
  const words = findWords(look.type);
  const message = toPrintable(typeof text === "string" ? text : text(event, words));
  const whole = message + describeStanding(event, standing, words);
  const [gap, tookWidth] = width < minRoomyWidth ? [" ", 6] : ["  ", 7];
  const at = clock(event.at);
  const target = toPrintable(event.targetId ?? "").padEnd(targetWidth);
  const what = toPrintable(word).padEnd(wordWidth);
  const took = formatDuration(event.duration).padStart(tookWidth);
  const indent = [at, target, what, took, ""].join(gap).length;
  const line = [
    paint("dim", at),
    paint("bold", target),
    style === undefined ? what : paint(style, what),
    paint("dim", took),
    style === "red" ? paint("red", whole) : whole,
  ].join(gap);
  return wrapText(line, Math.max(width, indent + minTextWidth), indent);
}

/** Shows an unknown type, which a newer app may log, under its own name. */
function findWording(type: string): Wording | undefined {
  const isKnown = (it: string): it is EventType => Object.hasOwn(wordings, it);
  return isKnown(type) ? wordings[type] : { word: type };
}

const describeDetail = ({ detail, failure }: KeyturnEvent): string =>
  detail ?? failure?.message ?? "";

function describeFailure({ failure }: KeyturnEvent): string {
  return failure?.message ?? noReason;
}

/** Says when the event's next attempt is; nothing when the event has none. */
function describeNext({ nextAttemptAt, at }: KeyturnEvent, start = ""): string {
  return nextAttemptAt === undefined ? "" : `${start} at ${moment(nextAttemptAt, at)}`;
}

function describeAttempt(event: KeyturnEvent): string {
  const { nextAttemptAt, detail, phase } = event;
  const where = detail ?? phase;
  const later =
    detail === "left undone" ? "the rotation continues without it" : "Keyturn tries again later";
  const then = nextAttemptAt === undefined ? later : `Keyturn tries again${describeNext(event)}`;
  return `${where === undefined ? "" : `${where}: `}${describeFailure(event)}; ${then}`;
}

/** The part of a target's state that decides what consumers read and when the next rotation is due. */
export interface Standing {
  /** An ISO time. */
  readonly nextDue?: string | undefined;
  readonly active?: string | undefined;
  readonly published?: unknown;
  readonly slots: readonly { readonly account: string; readonly abandoned?: unknown }[];
}

/** Says when the next rotation is due, and of a failed rotation also what consumers read. */
function describeStanding(
  { type, at }: KeyturnEvent,
  standing: Standing | undefined,
  words: Words,
): string {
  if (standing === undefined) return "";
  const next = standing.nextDue === undefined ? undefined : moment(standing.nextDue, at);
  if (type !== "failed") return next === undefined ? "" : `; next at ${next}`;
  return `. ${describePublished(standing, words)}${next === undefined ? "" : ` Next try at ${next}.`}`;
}

function describePublished({ published, active, slots }: Standing, { noun }: Words): string {
  if (published === undefined) return "Nothing is published yet.";
  const slot = slots.find(({ account }) => account === active);
  return slot?.abandoned === undefined
    ? `The published ${noun} is unchanged.`
    : `The server may have a newer ${noun} than the published one.`;
}

export const shortenVersion = (published?: { readonly version: string }): string =>
  published?.version.slice(0, 8) ?? "";

/** Formats milliseconds for a person; returns an empty text for undefined. */
export function formatDuration(milliseconds: number | undefined): string {
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
  targets: readonly { readonly id: string; readonly keepsSuperseded: boolean }[],
): string[] {
  const well: string[] = [];
  const failing: string[] = [];
  for (const [id, { logIns, failed, lastProblem = "unknown" }] of Object.entries(counts)) {
    const start = `${id}: ${logIns} log-ins, ${failed} failed`;
    // A single account fails between the change in the database and the publication of the new version.
    const hasGap = targets.find((target) => target.id === id)?.keepsSuperseded === false;
    const note = hasGap ? ", as expected for a single account during a change" : "";
    if (failed === 0) well.push(start);
    else failing.push(`${start}${note}; last error: ${lastProblem}`);
  }
  return [...(well.length === 0 ? [] : [well.join("  ·  ")]), ...failing].map(toPrintable);
}
