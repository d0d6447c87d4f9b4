import { Cron } from "croner";
import { day, hour, minute } from "../../time.ts";
import type { Wall } from "./zone.ts";

/** The single values of each field. Each field also allows `*`, ranges, lists and steps. */
const fieldNames = [
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of month", "1 to 31"],
  ["month", "1 to 12 or jan to dec"],
  ["day of week", "0 to 7 or sun to sat"],
] as const;

/** Returns the problem of a cron expression. Only five fields are allowed: no seconds, years or nicknames. */
export function findCronProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== fieldNames.length) {
    return "must have five fields: minute, hour, day of month, month, day of week";
  }
  // The parser would replace ? by the current time.
  if (text.includes("?")) return "must not contain ?; use * for any value";
  // The messages of the parser count months and days from 0, so they are not used.
  const wrong = fieldNames.findIndex((_, index) => !isReadable(alone(fields, index)));
  const [name, numbers] = fieldNames[wrong] ?? [];
  if (name === undefined) return undefined;
  return `has an invalid ${name}: ${fields[wrong]}; use ${numbers}, a range (1-5), a list (1,3), a step (*/2) or *`;
}

/** Returns an expression with one of the fields, and `*` for the others. */
function alone(fields: readonly string[], index: number): string {
  return fields.map((field, other) => (other === index ? field : "*")).join(" ");
}

function isReadable(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A cron expression as days and times of day. It fires at each of these times on each of these days. */
export interface Fires {
  /** Whether it fires on a day, by the number of days since 1970-01-01. */
  readonly onDay: (number: number) => boolean;
  /** The times in milliseconds since midnight, in order. */
  readonly times: readonly number[];
}

const known = new Map<string, Fires>();
const maxCached = 1000;

/**
 * Parses an expression. It is evaluated on wall times. The zone decides about times that do not exist or exist twice, as
 * everywhere.
 */
export function listCronWalls(text: string, from: Wall, to: Wall): Wall[] {
  const { onDay, times } = parseFires(text);
  const walls: Wall[] = [];
  for (let number = Math.floor(from / day); number * day < to; number++) {
    if (onDay(number)) walls.push(...times.map((time) => number * day + time));
  }
  return walls.filter((wall) => wall >= from && wall < to);
}

/** The parser finds the next match far more slowly than it tests a given time, so this tests each time. */
export function parseFires(text: string): Fires {
  const found = known.get(text);
  if (found) return found;
  const [minutes = "", hours = "", ...days] = text.trim().split(/\s+/);
  const inHour = listMatches(`${minutes} * * * *`, hour / minute, minute);
  const inDay = listMatches(`0 ${hours} * * *`, day / hour, hour);
  const fires = {
    onDay: makeDayTest(parse(["0", "0", ...days].join(" "))),
    times: inDay.flatMap((start) => inHour.map((later) => start + later)),
  };
  if (known.size >= maxCached) known.clear();
  known.set(text, fires);
  return fires;
}

/** Returns which of `count` times, `apart` milliseconds from each other, an expression matches. */
function listMatches(text: string, count: number, apart: number): number[] {
  const times = parse(text);
  return Array.from({ length: count }, (_, index) => index * apart).filter((time) =>
    times.match(new Date(time)),
  );
}

/** The number of bits that are used of each number. */
const bits = 32;

/** Returns whether an expression fires on a day. Answers of the parser take microseconds, so they are cached, one bit for each. */
function makeDayTest(days: Cron): (number: number) => boolean {
  const masks = new Map<number, number>();
  const maskOf = (block: number) => {
    let mask = 0;
    for (let bit = 0; bit < bits; bit++) {
      if (days.match(new Date((block * bits + bit) * day))) mask |= 1 << bit;
    }
    masks.set(block, mask);
    return mask;
  };
  return (number) => {
    const block = Math.floor(number / bits);
    const mask = masks.get(block) ?? maskOf(block);
    return (mask & (1 << (number - block * bits))) !== 0;
  };
}

/** Whether an expression fires on any day. */
export function everFires(text: string): boolean {
  return parse(text).nextRun(new Date(0)) !== null;
}

function parse(text: string): Cron {
  // UTC is given as an offset, because the parser would look up a zone each time.
  return new Cron(text, { utcOffset: 0 });
}
