import { Cron } from "croner";
import { day, hour, minute } from "../../time.ts";
import type { Wall } from "./zone.ts";

/** What a field may hold by itself, besides `*`, ranges, lists and steps of it. */
const fieldNames = [
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of month", "1 to 31"],
  ["month", "1 to 12 or jan to dec"],
  ["day of week", "0 to 7 or sun to sat"],
] as const;

/** Reads five fields and nothing else: no seconds, no years, no nicknames. */
export function cronProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== fieldNames.length) {
    return "must have five fields: minute, hour, day of month, month, day of week";
  }
  // The parser takes it for the moment at which it reads it.
  if (text.includes("?")) return "must not hold ?; write * for any";
  // What the parser itself says counts months and days from 0.
  const wrong = fieldNames.findIndex((_, index) => !isReadable(alone(fields, index)));
  const [name, numbers] = fieldNames[wrong] ?? [];
  if (name === undefined) return undefined;
  return `cannot be read: its ${name} is ${fields[wrong]}; write ${numbers}, a range (1-5), a list (1,3), a step (*/2) or *`;
}

/** One field of an expression, and any for the others. */
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

/** An expression as days and times of day: it fires at each of the times of each of the days. */
export interface Fires {
  /** By the number of the day since 1970-01-01. */
  readonly onDay: (number: number) => boolean;
  /** Milliseconds since midnight, in order. */
  readonly times: readonly number[];
}

const known = new Map<string, Fires>();
const mostKept = 1000;

/**
 * The times that clocks show when an expression fires, from `from` up to but not including `to`. It is evaluated on
 * wall times; the rule for times that do not exist or exist twice is that of the zone, as for everything else.
 */
export function cronWalls(text: string, from: Wall, to: Wall): Wall[] {
  const { onDay, times } = parseFires(text);
  const walls: Wall[] = [];
  for (let number = Math.floor(from / day); number * day < to; number++) {
    if (onDay(number)) walls.push(...times.map((time) => number * day + time));
  }
  return walls.filter((wall) => wall >= from && wall < to);
}

/** Asking the parser for the next time takes many times as long as asking whether it is one. */
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
  if (known.size >= mostKept) known.clear();
  known.set(text, fires);
  return fires;
}

/** Which of `count` times, each `apart` milliseconds after the one before, an expression matches. */
function listMatches(text: string, count: number, apart: number): number[] {
  const times = parse(text);
  return Array.from({ length: count }, (_, index) => index * apart).filter((time) =>
    times.match(new Date(time)),
  );
}

/** Bits of a number. */
const bits = 32;

/** Whether an expression fires on a day. The parser takes microseconds to say so: its answers are kept, a bit for each. */
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

/** Whether there is a day on which an expression fires. */
export function everFires(text: string): boolean {
  return parse(text).nextRun(new Date(0)) !== null;
}

function parse(text: string): Cron {
  // Not as a zone, which would be asked for its offset each time.
  return new Cron(text, { utcOffset: 0 });
}
