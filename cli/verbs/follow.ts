import type { Client } from "../api/client.ts";
import type { Rotation } from "../api/endpoints.ts";
import { NoStreamError } from "../api/events.ts";
import type { ConnectionOptions } from "../connection/connection.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { type FollowOptions, followUntil, type Subject } from "../follow-until.ts";
import { toCommandText } from "../output/command-text.ts";
import { formatSeconds } from "../output/times.ts";

/** The phases in their order, as the line of progress shows them. */
const phases = ["staging", "applying", "publishing", "checking", "refreshing", "cleaning"] as const;

/** Milliseconds between two requests: short while a person waits for seconds, longer later. */
const [quickMs, slowMs, quickForMs] = [300, 2_000, 15_000];

export interface Following extends FollowOptions {
  readonly target: string;
  readonly rotation: string;
  /** How its app is reached, for the message after Ctrl-C. */
  readonly options: ConnectionOptions;
}

/** Follows a rotation to its end, or until the time is over: then it is returned in the state that is known. Throws Failure. */
export function follow({ target, rotation, options, ...following }: Following): Promise<Rotation> {
  const params = { target, rotation };
  const subject: Subject<Rotation> = {
    read: (client) => client.call("api-rotation", { params }),
    listen: (client, until) => listen(client, params, until),
    hasEnded,
    format: formatProgress,
    pauseMs: (passedMs) => (passedMs < quickForMs ? quickMs : slowMs),
    goesOn: `Stopped following. The rotation goes on in the app. See it again: ${toCommandText(["rotation", target, rotation], options)}`,
  };
  return followUntil(subject, following);
}

/** Milliseconds. The app ends a stream after 200 seconds. */
const shortStreamMs = 5_000;

/** The states in the events of the rotation. Ends when no more come: then the rotation must be polled. */
async function* listen(
  client: Client,
  params: { readonly target: string; readonly rotation: string },
  until: AbortSignal | undefined,
): AsyncGenerator<Rotation, undefined> {
  let lastId: string | undefined;
  try {
    while (until?.aborted !== true) {
      const connectedAt = Date.now();
      for await (const event of client.events(params, { lastId, until })) {
        lastId = event.id;
        yield event.rotation;
      }
      // Something before the app ends the streams at once.
      if (Date.now() - connectedAt < shortStreamMs) break;
    }
  } catch (error) {
    if (!(error instanceof NoStreamError)) throw error;
  }
  return undefined;
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
