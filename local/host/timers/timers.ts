import { z } from "zod";
import type { RegisteredFunction } from "../app/core-module.ts";
import { type Call, findTrigger, type Invoker } from "../app/invoke.ts";
import { json } from "../app/rpc-data.ts";
import { resolvePlaceholders, type Settings } from "../host-json.ts";
import { type HostLog, toErrorMessage } from "../log.ts";
import { parseSchedule, type Schedule } from "./timer-schedule.ts";
import {
  readStatus,
  readStatusAtStart,
  type TimerStatus,
  toStatusAfterRun,
  toWire,
  writeStatus,
} from "./timer-status.ts";

const timerTrigger = z.looseObject({
  schedule: z.string(),
  runOnStartup: z.boolean().default(false),
  useMonitor: z.boolean().default(true),
});

export interface TimerFunction {
  registered: RegisteredFunction;
  /** The schedule with app settings filled in. */
  text: string;
  schedule: Schedule;
  runOnStartup: boolean;
  /** Whether one run makes up for occurrences that were missed while the host was down. */
  monitored: boolean;
}

export interface Timer {
  /** Starts no more runs. Resolves when the current run has ended. */
  stop(): Promise<void>;
}

export function readTimerFunction(
  registered: RegisteredFunction,
  settings: Settings,
): TimerFunction {
  const options = timerTrigger.parse(findTrigger(registered));
  const text = resolvePlaceholders(options.schedule, settings);
  const schedule = parseSchedule(text);
  const monitored = options.useMonitor && !schedule.isFrequent;
  return { registered, text, schedule, runOnStartup: options.runOnStartup, monitored };
}

/** Milliseconds. A much longer delay overflows setTimeout, which then fires at once. */
const maxDelayMs = 24 * 3_600_000;

/**
 * Runs the function on its schedule, one run at a time. One run right after a long run makes up for the occurrences it missed.
 * Without a `statusDirectory`, the status lasts only as long as this process.
 */
export async function startTimer(
  timer: TimerFunction,
  options: { invoker: Invoker; statusDirectory: string | undefined; log: HostLog },
): Promise<Timer> {
  const functionName = timer.registered.metadata.name;
  const directory = timer.monitored ? options.statusDirectory : undefined;
  const started = new Date();
  const found = directory === undefined ? undefined : await readStatus(directory, functionName);
  let status = readStatusAtStart(found, timer.schedule, started);
  let pending: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const remember = async () => {
    if (directory === undefined) return;
    try {
      await writeStatus(directory, functionName, status);
    } catch (error) {
      options.log("error", `Cannot store the status of the timer: ${toErrorMessage(error)}`, {
        functionName,
      });
    }
  };

  async function run(kind: "scheduled" | "past due" | "at start"): Promise<void> {
    const began = new Date();
    try {
      await options.invoker.invoke(toTimerCall(timer, status, kind === "past due"));
    } catch {
      // The invoker has logged it. A failed run leaves the schedule as it is.
    }
    status = toStatusAfterRun(status, timer.schedule, began, kind === "scheduled");
    await remember();
    wait();
  }

  function wait(): void {
    if (stopped) return;
    const delay = status.next.getTime() - Date.now();
    pending = setTimeout(
      () => {
        if (delay > maxDelayMs) wait();
        else running = run("scheduled");
      },
      Math.min(Math.max(1, delay), maxDelayMs),
    );
  }

  await remember();
  if (timer.monitored && status.next < started) running = run("past due");
  else if (timer.runOnStartup) running = run("at start");
  else wait();
  return {
    async stop() {
      stopped = true;
      clearTimeout(pending);
      await running;
    },
  };
}

/** Makes the call for one run. `status` is null for an unmonitored timer, although the library's types exclude null. */
export function toTimerCall(
  timer: TimerFunction,
  status: TimerStatus | undefined,
  isPastDue: boolean,
): Call {
  const scheduleStatus = timer.monitored && status !== undefined ? toWire(status) : null;
  return {
    function: timer.registered,
    input: json({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: scheduleStatus,
      IsPastDue: isPastDue,
    }),
    reason: `Timer fired at ${new Date().toISOString()}`,
  };
}
