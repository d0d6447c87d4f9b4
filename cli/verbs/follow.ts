import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../api/client.ts";
import type { Rotation } from "../api/endpoints.ts";
import { NoStreamError } from "../api/events.ts";
import { type ExitCode, exitCodes, Failure } from "../exit-codes.ts";
import { clearProgress, showProgress } from "../output/progress.ts";
import { formatSeconds } from "../output/times.ts";

/** The phases in their order, as the line of progress shows them. */
const phases = ["staging", "applying", "publishing", "checking", "refreshing", "cleaning"] as const;

/** Milliseconds between two requests: short while a person waits for seconds, longer later. */
const [quickMs, slowMs, quickForMs] = [300, 2_000, 15_000];

/** Milliseconds without an answer after which following ends. The app may restart meanwhile. */
const patienceMs = 60_000;

export interface Followed {
  readonly target: string;
  readonly rotation: string;
  /** Milliseconds. Undefined: until the end. */
  readonly timeoutMs: number | undefined;
}

/** How often a followed rotation may be read, and how. */
export interface Following extends Followed {
  /** Connects with a signal that ends requests. */
  readonly connect: (signal: AbortSignal) => Client;
}

/**
 * Follows a rotation to its end, or until the time is over: then it is returned in the state that it has. Throws Failure, also
 * after Ctrl-C.
 */
export async function follow(following: Following): Promise<Rotation> {
  const stop = new AbortController();
  const onSignal = () => {
    stop.abort(new Failure(goesOn(following), exitCodes.interrupted));
  };
  process.once("SIGINT", onSignal);
  try {
    const client = following.connect(stop.signal);
    const began = Date.now();
    const heard = await listen(following, client, began);
    return heard ?? (await poll(following, client, { began, signal: stop.signal }));
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.off("SIGINT", onSignal);
    clearProgress();
  }
}

/** Milliseconds. The app ends a stream after 200 seconds. */
const shortStreamMs = 5_000;

/** Follows the events of the rotation. Undefined when they do not come: then the rotation must be polled. */
async function listen(
  { target, rotation, timeoutMs = Infinity }: Following,
  client: Client,
  began: number,
): Promise<Rotation | undefined> {
  const until = timeoutMs === Infinity ? undefined : AbortSignal.timeout(timeoutMs);
  let lastId: string | undefined;
  try {
    while (until?.aborted !== true) {
      const connectedAt = Date.now();
      for await (const event of client.events({ target, rotation }, { lastId, until })) {
        lastId = event.id;
        if (event.isLast) return event.rotation;
        showProgress(formatProgress(event.rotation, Date.now() - began));
      }
      // Something before the app ends the streams at once.
      if (Date.now() - connectedAt < shortStreamMs) break;
    }
  } catch (error) {
    if (!(error instanceof NoStreamError)) throw error;
  }
  return undefined;
}

async function poll(
  { target, rotation, timeoutMs = Infinity }: Following,
  client: Client,
  { began, signal }: { readonly began: number; readonly signal: AbortSignal },
): Promise<Rotation> {
  let heardAt = Date.now();
  let last: Rotation | undefined;
  for (;;) {
    try {
      last = await client.call("api-rotation", { params: { target, rotation } });
      heardAt = Date.now();
    } catch (error) {
      const mayReturn = error instanceof Failure && error.isTransient;
      if (!mayReturn || Date.now() - heardAt > patienceMs) throw error;
    }
    const passed = Date.now() - began;
    if (last && (hasEnded(last) || passed >= timeoutMs)) return last;
    if (last) showProgress(formatProgress(last, passed));
    const pause = passed < quickForMs ? quickMs : slowMs;
    await sleep(Math.max(1, Math.min(pause, timeoutMs - passed)), undefined, { signal });
  }
}

function hasEnded({ state }: Rotation): boolean {
  return state !== "queued" && state !== "running";
}

/** The exit code for a followed rotation. */
export function exitCodeOf(rotation: Rotation): ExitCode {
  if (!hasEnded(rotation)) return exitCodes.waits;
  return rotation.state === "done" ? exitCodes.done : exitCodes.failed;
}

/** One line: the phases that are done, the present one, and what the rotation waits for. */
export function formatProgress(rotation: Rotation, passedMs: number): string {
  const { targetId, queuedUntil, queuedWhy } = rotation;
  const ended = rotation.phases.filter(({ endedAt }) => endedAt !== undefined);
  const done = new Set<string>(ended.map(({ phase }) => phase));
  const current = rotation.phases.find(({ endedAt }) => endedAt === undefined)?.phase;
  const marks = phases.map((phase) => {
    if (phase === current) return `▸ ${phase}`;
    return done.has(phase) ? `✓ ${phase}` : `· ${phase}`;
  });
  const until = queuedUntil === undefined ? "" : ` until ${queuedUntil}`;
  const waits = queuedWhy === undefined ? "" : ` waits${until}: ${queuedWhy}`;
  const steps = rotation.state === "queued" ? ["queued"] : marks;
  return `${targetId} ${formatSeconds(passedMs)} ${steps.join(" ")}${waits}`;
}

const goesOn = ({ target, rotation }: Followed): string =>
  `Stopped following. The rotation goes on in the app. See it again: keyturn rotation ${target} ${rotation}`;
