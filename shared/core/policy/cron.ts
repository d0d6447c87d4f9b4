import { Cron } from "croner";
import { day } from "../time.ts";
import type { Wall } from "./zone.ts";

/** Reads five fields and nothing else: no seconds, no years, no nicknames. */
export function cronProblem(text: string): string | undefined {
  if (text.trim().split(/\s+/).length !== 5) {
    return "must have five fields: minute, hour, day of month, month, day of week";
  }
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

/** Whether an expression ever fires in the years that matter: 29 February may be eight years away. */
export function everFires(text: string, from: Wall): boolean {
  const next = parse(text).nextRun(new Date(from));
  return next !== null && next.getTime() < from + 9 * 366 * day;
}

function parse(text: string): Cron {
  return new Cron(text, { timezone: "UTC", paused: true, mode: "5-part" });
}
