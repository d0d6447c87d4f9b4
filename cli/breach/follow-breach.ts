import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../api/client.ts";
import type { Breach } from "../api/endpoints.ts";
import { type ExitCode, exitCodes, Failure } from "../exit-codes.ts";
import { clearProgress, showProgress } from "../output/progress.ts";
import { formatSeconds } from "../output/times.ts";

/** Milliseconds between two requests. */
const pauseMs = 1_000;

/** Milliseconds without an answer after which following ends. The app may restart meanwhile. */
const patienceMs = 60_000;

interface FollowingBreach {
  readonly breach: string;
  /** Milliseconds. Undefined: until the end. */
  readonly timeoutMs: number | undefined;
  /** Connects with a signal that ends requests. */
  readonly connect: (signal: AbortSignal) => Client;
}

/**
 * Follows a breach to its end, or until the time is over: then it is returned in the state that it has. Throws Failure, also after
 * Ctrl-C.
 */
export async function followBreach(following: FollowingBreach): Promise<Breach> {
  const stop = new AbortController();
  const onSignal = () => {
    stop.abort(new Failure(goesOn(following.breach), exitCodes.interrupted));
  };
  process.once("SIGINT", onSignal);
  try {
    return await poll(following, following.connect(stop.signal), stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.off("SIGINT", onSignal);
    clearProgress();
  }
}

async function poll(
  { breach, timeoutMs = Infinity }: FollowingBreach,
  client: Client,
  signal: AbortSignal,
): Promise<Breach> {
  const began = Date.now();
  let heardAt = began;
  let last: Breach | undefined;
  for (;;) {
    try {
      last = await client.call("api-breach", { params: { breach } });
      heardAt = Date.now();
    } catch (error) {
      const mayReturn = error instanceof Failure && error.isTransient;
      if (!mayReturn || Date.now() - heardAt > patienceMs) throw error;
    }
    const passed = Date.now() - began;
    if (last && (last.state === "ended" || passed >= timeoutMs)) return last;
    if (last) showProgress(formatBreachProgress(last));
    await sleep(Math.max(1, Math.min(pauseMs, timeoutMs - passed)), undefined, { signal });
  }
}

const barLength = 20;

/** One line: a bar, how many targets have their outcome, and what is under way. */
export function formatBreachProgress(breach: Breach): string {
  const { counts, summary, state, remainingSeconds } = breach;
  const { waiting, begun, rotated } = counts;
  const done = summary.targets - waiting - begun;
  const filled = Math.floor((barLength * done) / Math.max(1, summary.targets));
  const bar = "█".repeat(filled) + "░".repeat(barLength - filled);
  const not = done - rotated;
  const parts = [
    `${rotated} rotated`,
    ...(not > 0 ? [`${not} not`] : []),
    `${begun} under way`,
    ...(state === "running" ? [`about ${formatSeconds(remainingSeconds * 1_000)} left`] : [state]),
  ];
  return `${bar} ${done}/${summary.targets}  ${parts.join(", ")}`;
}

/** The exit code for a breach that was followed. */
export function exitCodeOfBreach({ state, counts, summary }: Breach): ExitCode {
  if (state !== "ended") return exitCodes.waits;
  return counts.rotated === summary.targets ? exitCodes.done : exitCodes.failed;
}

const goesOn = (breach: string): string =>
  `Stopped following. The breach goes on in the app. See it again: keyturn breaches ${breach}; stop it: keyturn pause-breach ${breach}`;
