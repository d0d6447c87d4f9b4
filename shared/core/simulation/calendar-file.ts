import { createHash } from "node:crypto";
import { atOnce, mapInSteps, type Steps } from "../steps.ts";
import type { Instant } from "../time.ts";
import { type SimulatedRotation, type Simulation, whyOf } from "./model.ts";

const lineLength = 75;

/**
 * A calendar (RFC 5545) with an event for each rotation. The same rotation has the same UID in every plan, so that a
 * calendar program that reads the plan again moves its event. `madeAt` is when the plan was made.
 */
export function renderCalendar(simulation: Simulation, madeAt: Instant): string {
  return atOnce(calendarInSteps(simulation, madeAt));
}

export function* calendarInSteps({ rotations }: Simulation, madeAt: Instant): Steps<string> {
  const events = yield* mapInSteps(rotations, (rotation) => written(eventOf(rotation, madeAt)));
  const head = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Keyturn//Plan of rotations//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    "X-WR-CALNAME:Keyturn rotations",
  ];
  return [written(head), ...events, written(["END:VCALENDAR"])].join("");
}

function written(lines: readonly string[]): string {
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}

function eventOf(rotation: SimulatedRotation, madeAt: Instant): string[] {
  const { target, at } = rotation;
  return [
    "BEGIN:VEVENT",
    `UID:${uidOf(rotation)}`,
    `DTSTAMP:${utc(Date.parse(madeAt))}`,
    `DTSTART:${utc(at)}`,
    "DURATION:PT15M",
    `SUMMARY:${escaped(`Rotate ${target.id}`)}`,
    `DESCRIPTION:${escaped(whyOf(rotation))}`,
    ...(target.server === undefined ? [] : [`LOCATION:${escaped(target.server)}`]),
    `CATEGORIES:${escaped(target.policy.name)}`,
    "TRANSP:TRANSPARENT",
    "END:VEVENT",
  ];
}

/** Named for the change that it follows: that stays the same however often the plan is made anew. */
function uidOf({ target, after }: SimulatedRotation): string {
  const name = `${target.id}/${after === undefined ? "first" : new Date(after).toISOString()}`;
  return `${createHash("sha256").update(name).digest("hex").slice(0, 32)}@keyturn`;
}

function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

function escaped(text: string): string {
  return text
    .replaceAll(/[\\;,]/g, (character) => `\\${character}`)
    .replaceAll(/\r\n|\r|\n/g, "\\n")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, " ");
}

/** Lines are counted in octets and broken between characters, never within one. */
function folded(line: string): string {
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
