import { setTimeout as pause } from "node:timers/promises";
import { AuthorityRefusedError, isKnownError, OutcomeUnknownError } from "../../../core/errors.ts";
import { second } from "../../../core/time.ts";
import type { ServerReport } from "../../rotator.ts";
import {
  isWorthAnotherTry,
  judgeVerdicts,
  toPartialError,
  toReport,
  type Verdict,
} from "./several-decisions.ts";

/** Milliseconds for which a server that failed in the middle of a change is tried again. */
const patience = 10 * second;
const tryEvery = second;

/** The calls of a change that several servers must have. All throw the errors of the contract. */
export interface ChangeSteps<Server, Result> {
  readonly name: (server: Server) => string;
  /** Throws if the server cannot be reached or would refuse the change. Changes nothing. */
  readonly check: (server: Server) => Promise<void>;
  /** Safe to repeat. */
  readonly change: (server: Server) => Promise<Result>;
}

/**
 * Changes all servers in their order, after all have passed the check, and returns what each change returns. A server that fails in
 * between is tried again for `retryFor` milliseconds. Throws ChangeRefusedError or TargetUnavailableError only if this call has changed
 * nothing, and otherwise OutcomeUnknownError, with the state of every server in the message and the failure as its cause.
 */
export async function changeAll<Server, Result>(
  servers: readonly Server[],
  steps: ChangeSteps<Server, Result>,
  signal: AbortSignal,
  retryFor = patience,
): Promise<Result[]> {
  // The change of a single server checks by itself.
  if (servers.length > 1) for (const server of servers) await steps.check(server);
  const results: Result[] = [];
  for (const [index, server] of servers.entries()) {
    try {
      // The first server may fail without harm: nothing is changed yet.
      const change =
        index === 0 ? steps.change(server) : changeWithin(server, steps, signal, retryFor);
      results.push(await change);
    } catch (error) {
      const isHarmless = index === 0 && !(error instanceof OutcomeUnknownError);
      if (servers.length === 1 || isHarmless) throw error;
      const why = isKnownError(error)
        ? error
        : new OutcomeUnknownError(`${steps.name(server)}: the change failed`);
      throw toPartialError(servers.map(steps.name), index, why);
    }
  }
  return results;
}

/** The outcome stays unknown if any try left it unknown, whatever a later one says. */
async function changeWithin<Server, Result>(
  server: Server,
  steps: ChangeSteps<Server, Result>,
  signal: AbortSignal,
  retryFor: number,
): Promise<Result> {
  const until = performance.now() + retryFor;
  let mayBeChanged = false;
  for (;;) {
    try {
      return await steps.change(server);
    } catch (error) {
      mayBeChanged ||= error instanceof OutcomeUnknownError;
      const isOver = signal.aborted || performance.now() >= until;
      if (isOver || !isWorthAnotherTry(error)) throw mayBeChanged ? toUnknown(error) : error;
    }
    await pause(tryEvery, undefined, { signal }).catch(() => undefined);
  }
}

function toUnknown(error: unknown): unknown {
  if (!isKnownError(error) || error instanceof OutcomeUnknownError) return error;
  return new OutcomeUnknownError(error.message, { cause: error });
}

/** The calls that set back a change of several servers. All throw the errors of the contract. */
export interface SetBackSteps<Server> {
  readonly name: (server: Server) => string;
  readonly logsIn: (server: Server, which: "new" | "earlier") => Promise<boolean>;
  /** Sets the earlier secret. Safe to repeat. */
  readonly set: (server: Server) => Promise<void>;
  /** Log-ins may still be answered from a copy that was made before the change, so they do not show what a server has. */
  readonly mayBeStale?: boolean;
}

/**
 * Sets the earlier secret at every server that accepts only the new one, or at every server if log-ins do not show that. Returns what each
 * accepts then. A server that accepts the earlier secret costs no refused log-in, so that the call may be repeated for as long as another
 * server is down. All servers are called at the same time, because a silent one would use up the time of the others.
 */
export async function setBackAll<Server>(
  servers: readonly Server[],
  steps: SetBackSteps<Server>,
): Promise<ServerReport[]> {
  const all = await Promise.allSettled(servers.map((server) => setBackOne(server, steps)));
  return all.map((one) => {
    if (one.status === "fulfilled") return one.value;
    throw one.reason;
  });
}

async function setBackOne<Server>(
  server: Server,
  { name, logsIn, set, mayBeStale = false }: SetBackSteps<Server>,
): Promise<ServerReport> {
  const ask = (which: "new" | "earlier") => orUnknown(logsIn(server, which));
  const read = async () => {
    const acceptsEarlier = await ask("earlier");
    return { acceptsEarlier, acceptsNew: acceptsEarlier === false ? await ask("new") : undefined };
  };
  const before = mayBeStale ? undefined : await read();
  // Of a server that accepts neither, nobody knows what was done there.
  const isNeeded = before === undefined || before.acceptsNew === true;
  const isSet = isNeeded && (await orUnknown(set(server).then(() => true))) === true;
  const after = isSet || before === undefined ? await read() : before;
  return toReport({ server: name(server), ...after, isCertain: isSet || !mayBeStale });
}

/** Undefined if the server does not answer, or not to the question. A refusal of the authority is for the caller, who counts it. */
async function orUnknown(answer: Promise<boolean>): Promise<boolean | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isKnownError(error) && !(error instanceof AuthorityRefusedError)) return undefined;
    throw error;
  }
}

/** Tries a log-in on every server, and passes on how they differ. */
export async function verifyAll<Server>(
  servers: readonly Server[],
  name: (server: Server) => string,
  logIn: (server: Server) => Promise<"accepted" | "rejected">,
  note: ((sentence: string) => void) | undefined,
): Promise<"accepted" | "rejected"> {
  const verdicts: Verdict[] = [];
  for (const server of servers) {
    const answer = await logIn(server).catch((error: unknown) => {
      if (isKnownError(error)) return error;
      throw error;
    });
    verdicts.push({ name: name(server), answer });
  }
  const judged = judgeVerdicts(verdicts);
  if (judged.note !== undefined) note?.(judged.note);
  return judged.verdict;
}
