import { createHash } from "node:crypto";
import type { Instant } from "../time.ts";
import { mapInSteps, runAtOnce, type Steps } from "../work-in-steps.ts";
import { describeWhy, type SimulatedRotation, type Simulation } from "./model.ts";

const lineLength = 75;

/**
 * Renders a calendar (RFC 5545) with an event for each rotation. A rotation has the same UID in every plan, so a calendar
 * program that reads a newer plan moves its event. `madeAt` is when the plan was made.
 */
export function renderCalendar(simulation: Simulation, madeAt: Instant): string {
  return runAtOnce(renderCalendarInSteps(simulation, madeAt));
}

export function* renderCalendarInSteps({ rotations }: Simulation, madeAt: Instant): Steps<string> {
  const events = yield* mapInSteps(rotations, (rotation) =>
    foldLines(formatEvent(rotation, madeAt)),
  );
  const head = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Keyturn//Plan of rotations//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    "X-WR-CALNAME:Keyturn rotations",
  ];
  return [foldLines(head), ...events, foldLines(["END:VCALENDAR"])].join("");
}

function foldLines(lines: readonly string[]): string {
  return lines.map((line) => `${foldLine(line)}\r\n`).join("");
}

function formatEvent(rotation: SimulatedRotation, madeAt: Instant): string[] {
  const { target, at } = rotation;
  return [
    "BEGIN:VEVENT",
    `UID:${toUid(rotation)}`,
    `DTSTAMP:${utc(Date.parse(madeAt))}`,
    `DTSTART:${utc(at)}`,
    "DURATION:PT15M",
    `SUMMARY:${escapeText(`Rotate ${target.id}`)}`,
    `DESCRIPTION:${escapeText(describeWhy(rotation))}`,
    ...(target.server === undefined ? [] : [`LOCATION:${escapeText(target.server)}`]),
    `CATEGORIES:${escapeText(target.policy.name)}`,
    "TRANSP:TRANSPARENT",
    "END:VEVENT",
  ];
}

/** Derives the UID from the previous change of the secret, which is the same in every later plan. */
function toUid({ target, after }: SimulatedRotation): string {
  const name = `${target.id}/${after === undefined ? "first" : new Date(after).toISOString()}`;
  return `${createHash("sha256").update(name).digest("hex").slice(0, 32)}@keyturn`;
}

function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

function escapeText(text: string): string {
  return text
    .replaceAll(/[\\;,]/g, (character) => `\\${character}`)
    .replaceAll(/\r\n|\r|\n/g, "\\n")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, " ");
}

/** Folds a line. Its length is counted in octets, and it is never broken within a character. */
function foldLine(line: string): string {
  let [text, length] = ["", 0];
  for (const character of line) {
    const octets = Buffer.byteLength(character);
    if (length + octets > lineLength) {
      text += "\r\n ";
      length = 1;
    }
    text += character;
    length += octets;
  }
  return text;
}
