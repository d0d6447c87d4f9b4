/** A strict reader of calendars by the grammar of RFC 5545, independent of the code under test. */
export type CalendarEvent = Readonly<Record<string, string>>;

const name = /^[A-Z0-9-]+$/;
const dateTime = /^\d{8}T\d{6}Z$/;
/** TEXT: a backslash, comma or semicolon must be escaped by a backslash. */
const escapedText = /^(?:[^\\,;\p{Cc}]|\\[\\,;nN])*$/u;
const texts = ["SUMMARY", "DESCRIPTION", "LOCATION", "UID"];

/** Reads the events of a calendar. Throws if the calendar breaks a rule. */
export function readCalendar(text: string): CalendarEvent[] {
  const [calendar, ...after] = components(unfolded(text));
  if (calendar?.kind !== "VCALENDAR" || after.length > 0) throw new Error("not one VCALENDAR");
  for (const needed of ["VERSION", "PRODID"]) one(calendar, needed);
  if (one(calendar, "VERSION") !== "2.0") throw new Error("not version 2.0");
  const events = calendar.children.map(readEvent);
  const uids = events.map((event) => event["UID"]);
  if (new Set(uids).size !== uids.length) throw new Error("a UID occurs twice");
  return events;
}

function unfolded(text: string): string[] {
  if (!text.endsWith("\r\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -2).split("\r\n");
  for (const line of lines) {
    if (/[\r\n]/.test(line)) throw new Error(`a line ends with something else: ${line}`);
    if (Buffer.byteLength(line) > 75) throw new Error(`more than 75 octets: ${line}`);
    if (line === "" || line.includes("\ufffd")) throw new Error(`not a line: ${line}`);
  }
  return lines
    .join("\r\n")
    .replaceAll(/\r\n[ \t]/g, "")
    .split("\r\n");
}

interface Component {
  readonly kind: string;
  readonly properties: [string, string][];
  readonly children: Component[];
}

function components(lines: readonly string[]): Component[] {
  const root: Component = { kind: "", properties: [], children: [] };
  const open = [root];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const [key, value] = [line.slice(0, colon), line.slice(colon + 1)];
    if (colon < 1 || !name.test(key)) throw new Error(`not a property: ${line}`);
    const inside = open.at(-1) ?? root;
    if (key === "BEGIN") {
      const begun = { kind: value, properties: [], children: [] };
      inside.children.push(begun);
      open.push(begun);
    } else if (key === "END") {
      if (inside.kind !== value) throw new Error(`${value} ends inside ${inside.kind}`);
      open.pop();
    } else {
      inside.properties.push([key, value]);
    }
  }
  if (open.length !== 1 || root.properties.length > 0) throw new Error("something has no end");
  return root.children;
}

function one({ kind, properties }: Component, wanted: string): string {
  const found = properties.filter(([key]) => key === wanted);
  if (found.length !== 1) throw new Error(`${kind} has ${found.length} ${wanted}`);
  return found[0]?.[1] ?? "";
}

function readEvent(event: Component): CalendarEvent {
  if (event.kind !== "VEVENT") throw new Error(`${event.kind} is no event`);
  for (const moment of ["DTSTAMP", "DTSTART"]) {
    if (!dateTime.test(one(event, moment))) throw new Error(`${moment} is no date-time`);
  }
  if (!/^PT\d+[HMS]$/.test(one(event, "DURATION"))) throw new Error("DURATION is no duration");
  for (const [key, value] of event.properties) {
    one(event, key);
    if (texts.includes(key) && !escapedText.test(value)) throw new Error(`${key} is not escaped`);
  }
  one(event, "UID");
  return Object.fromEntries(event.properties);
}
