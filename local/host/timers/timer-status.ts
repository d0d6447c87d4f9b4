import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Schedule } from "./schedule.ts";

/** What is remembered of a timer between runs and restarts. */
export interface TimerStatus {
  /** The occurrence last run; absent before the first. */
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

/** The form in which the host stores a status and shows it to the function. */
export const toWire = (status: TimerStatus) => ({
  Last: status.last?.toISOString() ?? never,
  Next: status.next.toISOString(),
  LastUpdated: status.lastUpdated.toISOString(),
});

/** The status to start from. It is past due when `next` lies before `now`. */
export function statusAtStart(
  found: TimerStatus | undefined,
  schedule: Schedule,
  now: Date,
): TimerStatus {
  const fresh = { last: undefined, next: schedule.next(now), lastUpdated: now };
  if (found === undefined) return fresh;
  const expected = schedule.next(found.last ?? found.lastUpdated);
  // A schedule that was changed meanwhile has missed nothing.
  return found.next.getTime() === expected.getTime() ? found : fresh;
}

/** The status after a run that began at `began`. */
export function statusAfterRun(
  before: TimerStatus,
  schedule: Schedule,
  began: Date,
  onSchedule: boolean,
): TimerStatus {
  // A clock that fires a little early would otherwise make the same occurrence due twice.
  const last = onSchedule && before.next > began ? before.next : began;
  return { last, next: schedule.next(last), lastUpdated: last };
}

const statusFile = (directory: string, functionName: string) =>
  path.join(directory, `${functionName}.json`);

/** Undefined when there is none, or none that can be read. */
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
