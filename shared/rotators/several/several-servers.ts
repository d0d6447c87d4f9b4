import { setTimeout as pause } from "node:timers/promises";
import { ChangeRefusedError, isKnownError, OutcomeUnknownError } from "../../core/errors.ts";
import { second } from "../../core/time.ts";
import {
  isWorthAnotherTry,
  judgePartial,
  judgeVerdicts,
  type ServerReport,
  toReport,
  type Verdict,
} from "./several-decisions.ts";

/** Milliseconds for which a server that failed in the middle of a change is tried again, before the others are set back. */
const setBackAfter = 10 * second;
const tryEvery = second;

/** The calls of a change that several servers must have. All throw the errors of the contract. */
export interface ChangeSteps<Server, Result> {
  readonly name: (server: Server) => string;
  /** Throws if the server cannot be reached or would refuse the change. Changes nothing. */
  readonly check: (server: Server) => Promise<void>;
  /** Safe to repeat. */
  readonly change: (server: Server) => Promise<Result>;
  /** Absent: no earlier secret is known. */
  readonly back?: {
    /** Sets the earlier secret again. */
    readonly set: (server: Server) => Promise<void>;
    readonly logsIn: (server: Server, which: "new" | "earlier") => Promise<boolean>;
  };
}

/**
 * Changes all servers in their order, after all have passed the check, and returns what each change returns. A server that fails in between is tried again for `retryFor`
 * milliseconds. If it still fails, the servers changed before are set back, if the earlier secret is known. Throws ChangeRefusedError or
 * TargetUnavailableError only if nothing is changed, and OutcomeUnknownError with the state of every server otherwise.
 */
export async function changeAll<Server, Result>(
  servers: readonly Server[],
  steps: ChangeSteps<Server, Result>,
  signal: AbortSignal,
  retryFor = setBackAfter,
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
      throw await setBack(servers, index, steps, why);
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
      if (isOver || !isWorthAnotherTry(error)) {
        throw mayBeChanged && isKnownError(error) ? new OutcomeUnknownError(error.message) : error;
      }
    }
    await pause(tryEvery, undefined, { signal }).catch(() => undefined);
  }
}

/** Sets back the servers up to `failed`, asks all of them who accepts what, and returns the error. */
async function setBack<Server>(
  servers: readonly Server[],
  failed: number,
  { name, back }: ChangeSteps<Server, unknown>,
  why: Error,
): Promise<Error> {
  if (back === undefined) {
    const reports = servers.map((server, index): ServerReport => {
      const isOpen = index === failed && why instanceof OutcomeUnknownError;
      const state = index < failed ? "was changed" : isOpen ? "may be changed" : "was not changed";
      return { name: name(server), state };
    });
    return judgePartial(why, reports);
  }
  const reports: ServerReport[] = [];
  for (const [index, server] of servers.entries()) {
    const mayHaveNew = index < failed || (index === failed && !(why instanceof ChangeRefusedError));
    const isSet = index > failed || (await isSetBack(server, back));
    const ask = (which: "new" | "earlier") =>
      back.logsIn(server, which).catch((): undefined => undefined);
    const acceptsEarlier = await ask("earlier");
    const acceptsNew = acceptsEarlier === false ? await ask("new") : undefined;
    const isCertain = isSet || !mayHaveNew;
    reports.push(toReport({ name: name(server), acceptsEarlier, acceptsNew, isCertain }));
  }
  return judgePartial(why, reports);
}

async function isSetBack<Server>(
  server: Server,
  { set }: NonNullable<ChangeSteps<Server, unknown>["back"]>,
): Promise<boolean> {
  try {
    await set(server);
    return true;
  } catch {
    return false;
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
