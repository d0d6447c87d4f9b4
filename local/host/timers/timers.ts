import { z } from "zod";
import type { RegisteredFunction } from "../app/core-module.ts";
import { type Call, findTrigger, type Invoker } from "../app/invoke.ts";
import { json } from "../app/rpc-data.ts";
import { type HostLog, toErrorMessage } from "../log.ts";
import { resolvePlaceholders, type Settings } from "../settings.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";
import {
  readStatus,
  statusAfterRun,
  statusAtStart,
  type TimerStatus,
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
  /** The schedule with its settings filled in. */
  text: string;
  schedule: Schedule;
  runOnStartup: boolean;
  /** Whether occurrences missed while the host was down are made up for, by one run. */
  monitored: boolean;
}

export interface Timer {
  /** No run begins after this; resolves when the run under way has ended. */
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

/** A longer delay overflows setTimeout, which would then fire at once. */
const longestDelay = 24 * 3_600_000;

/**
 * Runs the function whenever its schedule says, one run at a time: occurrences that pass during a run
 * are made up for by a single run right after it. Without a `statusDirectory` nothing is remembered
 * beyond this process.
 */
export async function startTimer(
  timer: TimerFunction,
  options: { invoker: Invoker; statusDirectory: string | undefined; log: HostLog },
): Promise<Timer> {
  const functionName = timer.registered.metadata.name;
  const directory = timer.monitored ? options.statusDirectory : undefined;
  const started = new Date();
  const found = directory === undefined ? undefined : await readStatus(directory, functionName);
  let status = statusAtStart(found, timer.schedule, started);
  let pending: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const remember = async () => {
    if (directory === undefined) return;
    try {
      await writeStatus(directory, functionName, status);
    } catch (error) {
      options.log("error", `The timer's status was not stored: ${toErrorMessage(error)}`, {
        functionName,
      });
    }
  };

  async function run(kind: "scheduled" | "past due" | "at start"): Promise<void> {
    const began = new Date();
    try {
      await options.invoker.invoke(timerCall(timer, status, kind === "past due"));
    } catch {
      // The invoker has logged it. A failed run leaves the schedule as it is.
    }
    status = statusAfterRun(status, timer.schedule, began, kind === "scheduled");
    await remember();
    wait();
  }

  function wait(): void {
    if (stopped) return;
    const delay = status.next.getTime() - Date.now();
    pending = setTimeout(
      () => {
        if (delay > longestDelay) wait();
        else running = run("scheduled");
      },
      Math.min(Math.max(1, delay), longestDelay),
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

/** One run. `status` is null for a timer that is not monitored, though the library's types deny it. */
export function timerCall(
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
