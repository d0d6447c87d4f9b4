import { Cron } from "croner";
import type { Wall } from "./zone.ts";

/** Reads five fields and nothing else: no seconds, no years, no nicknames. */
export function cronProblem(text: string): string | undefined {
  if (text.trim().split(/\s+/).length !== 5) {
    return "must have five fields: minute, hour, day of month, month, day of week";
  }
  // The parser takes it for the moment at which it reads it.
  if (text.includes("?")) return "must not hold ?; write * for any";
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : "unknown syntax"}`;
  }
}

/**
 * The times that clocks show when an expression fires, from `from` up to but not including `to`. It is evaluated on
 * wall times; the rule for times that do not exist or exist twice is that of the zone, as for everything else.
 */
export function cronWalls(text: string, from: Wall, to: Wall): Wall[] {
  const cron = parse(text);
  const walls: Wall[] = [];
  let next = cron.nextRun(new Date(from - 1000));
  while (next !== null && next.getTime() < to) {
    walls.push(next.getTime());
    next = cron.nextRun(next);
  }
  return walls;
}

/** Whether there is a day on which an expression fires. */
export function everFires(text: string): boolean {
  return parse(text).nextRun(new Date(0)) !== null;
}

function parse(text: string): Cron {
  return new Cron(text, { timezone: "UTC" });
}
