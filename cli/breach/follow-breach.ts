import type { Breach } from "../api/endpoints.ts";
import type { ConnectionOptions } from "../connection/connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { type FollowOptions, followUntil, type Subject } from "../follow-until.ts";
import { toCommandText } from "../output/command-text.ts";
import { formatSeconds } from "../output/times.ts";

/** Milliseconds between two requests. */
const pauseMs = 1_000;

interface FollowingBreach extends FollowOptions {
  readonly breach: string;
  /** How its app is reached, for the message after Ctrl-C. */
  readonly options: ConnectionOptions;
}

/** Follows a breach to its end, or until the time is over: then it is returned in the state that is known. Throws Failure. */
export function followBreach({ breach, options, ...following }: FollowingBreach): Promise<Breach> {
  const see = toCommandText(["breaches", breach], options);
  const stop = toCommandText(["pause-breach", breach], options);
  const subject: Subject<Breach> = {
    read: (client) => client.call("api-breach", { params: { breach } }),
    hasEnded,
    format: formatBreachProgress,
    pauseMs: () => pauseMs,
    goesOn: `Stopped following. The breach goes on in the app. See it again: ${see}; stop it: ${stop}`,
  };
  return followUntil(subject, following);
}

/** Nothing follows: an expired preview cannot be confirmed. */
function hasEnded({ state }: Pick<Breach, "state">): boolean {
  return state === "ended" || state === "expired";
}

const barLength = 20;

/** One line: a bar, how many targets have their outcome, and what is under way. */
export function formatBreachProgress(breach: Breach): string {
  const { counts, summary, state, waits } = breach;
  const { waiting, begun, rotated } = counts;
  const done = summary.targets - waiting - begun;
  const filled = Math.floor((barLength * done) / Math.max(1, summary.targets));
  const bar = "█".repeat(filled) + "░".repeat(barLength - filled);
  const not = done - rotated;
  const parts = [
    `${rotated} rotated`,
    ...(not > 0 ? [`${not} not`] : []),
    `${begun - (waits?.targets ?? 0)} under way`,
    ...(waits ? [`${waits.targets} wait (${waits.why})`] : []),
    ...(state === "running" ? describeLeft(breach) : [state]),
  ];
  return `${bar} ${done}/${summary.targets}  ${parts.join(", ")}`;
}

function describeLeft({ remainingSeconds }: Breach): string[] {
  if (remainingSeconds === undefined) return [];
  return [`about ${formatSeconds(remainingSeconds * 1_000)} left`];
}

/** The exit code for a breach that was followed. */
export function exitCodeOfBreach({ state, counts, summary }: Breach): ExitCode {
  if (!hasEnded({ state })) return exitCodes.waits;
  return state === "ended" && counts.rotated === summary.targets
    ? exitCodes.done
    : exitCodes.failed;
}
