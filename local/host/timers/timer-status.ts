import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Schedule } from "./timer-schedule.ts";

/** The state of a timer that outlives a run and a restart. */
export interface TimerStatus {
  /** The last occurrence that ran; absent before the first run. */
  last: Date | undefined;
  next: Date;
  lastUpdated: Date;
}

const never = "0001-01-01T00:00:00+00:00";

const date = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const stored = z
  .object({
    Last: z.union([z.literal(never).transform(() => undefined), date]),
    Next: date,
    LastUpdated: date,
  })
  .transform(({ Last, Next, LastUpdated }): TimerStatus => {
    return { last: Last, next: Next, lastUpdated: LastUpdated };
  });

/** Converts a status to the format that the host stores and passes to the function. */
export const toWire = (status: TimerStatus) => ({
  Last: status.last?.toISOString() ?? never,
  Next: status.next.toISOString(),
  LastUpdated: status.lastUpdated.toISOString(),
});

/** Returns the status at start. A run is past due when `next` is before `now`. */
export function readStatusAtStart(
  found: TimerStatus | undefined,
  schedule: Schedule,
  now: Date,
): TimerStatus {
  const fresh = { last: undefined, next: schedule.next(now), lastUpdated: now };
  if (found === undefined) return fresh;
  const expected = schedule.next(found.last ?? found.lastUpdated);
  // A schedule that was changed in the meantime has no missed runs.
  return found.next.getTime() === expected.getTime() ? found : fresh;
}

/** Returns the status after a run that started at `began`. */
export function toStatusAfterRun(
  before: TimerStatus,
  schedule: Schedule,
  began: Date,
  onSchedule: boolean,
): TimerStatus {
  // Otherwise, a timer that fires slightly early would run the same occurrence twice.
  const last = onSchedule && before.next > began ? before.next : began;
  return { last, next: schedule.next(last), lastUpdated: last };
}

const statusFile = (directory: string, functionName: string) =>
  path.join(directory, `${functionName}.json`);

/** Returns undefined when there is no status or it is unreadable. */
export async function readStatus(
  directory: string,
  functionName: string,
): Promise<TimerStatus | undefined> {
  try {
    const text = await readFile(statusFile(directory, functionName), "utf8");
    return stored.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeStatus(
  directory: string,
  functionName: string,
  status: TimerStatus,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = statusFile(directory, functionName);
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, JSON.stringify(toWire(status)));
  await rename(draft, file);
}
