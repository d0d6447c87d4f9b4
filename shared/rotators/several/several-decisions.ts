import {
  AccountBlockedError,
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import type { Examination } from "../rotator.ts";

/** What one of several servers has, as far as it is known after a change that did not reach all of them. */
export type ServerState =
  | "has the new secret"
  | "has the earlier secret"
  | "accepts neither secret, so the account is locked out there"
  | "was changed"
  | "may be changed"
  | "was not changed"
  | "may have either secret";

export interface ServerReport {
  readonly name: string;
  readonly state: ServerState;
}

/** The answers of one server to log-ins with both secrets. Undefined: it was not asked, or did not answer. */
export interface Answers {
  readonly name: string;
  readonly acceptsNew: boolean | undefined;
  readonly acceptsEarlier: boolean | undefined;
  /** It was not changed, or took the earlier secret again. Otherwise an accepted log-in may come from a cache of the server. */
  readonly isCertain: boolean;
}

export function toReport({ name, acceptsNew, acceptsEarlier, isCertain }: Answers): ServerReport {
  if (acceptsEarlier === true) {
    return { name, state: isCertain ? "has the earlier secret" : "may have either secret" };
  }
  if (acceptsNew === true) return { name, state: "has the new secret" };
  const isLockedOut = acceptsNew === false && acceptsEarlier === false;
  return {
    name,
    state: isLockedOut
      ? "accepts neither secret, so the account is locked out there"
      : "may have either secret",
  };
}

/** Whether another try within the same call could succeed: the server did not answer, or its answer was lost. */
export function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof TargetUnavailableError || error instanceof OutcomeUnknownError;
}

/**
 * The error for a change that some servers have and others do not. "Nothing changed" only if every server has just accepted the earlier
 * secret. `why` is the failure that stopped the change.
 */
export function judgePartial(why: Error, reports: readonly ServerReport[]): Error {
  const list = describeReports(reports);
  if (reports.every(({ state }) => state === "has the earlier secret")) {
    const sentence = `${why.message}. The earlier secret was set again and logs in on every server (${list}), so nothing is changed`;
    return why instanceof ChangeRefusedError
      ? new ChangeRefusedError(sentence)
      : new TargetUnavailableError(sentence);
  }
  return new OutcomeUnknownError(`${why.message}. The servers differ: ${list}`);
}

function describeReports(reports: readonly ServerReport[]): string {
  return reports.map(({ name, state }) => `${name} ${state}`).join("; ");
}

/** The answer of one server to a log-in: an Error if it gave none. */
export interface Verdict {
  readonly name: string;
  readonly answer: "accepted" | "rejected" | Error;
}

/** One answer for all servers: accepted only when all accept. `note`: how they differ, if they do. Throws when it is not known. */
export function judgeVerdicts(verdicts: readonly Verdict[]): {
  readonly verdict: "accepted" | "rejected";
  readonly note?: string;
} {
  const isMixed = verdicts.some(({ answer }) => answer === "accepted");
  if (verdicts.some(({ answer }) => answer === "rejected")) {
    if (verdicts.every(({ answer }) => answer === "rejected")) return { verdict: "rejected" };
    return {
      verdict: "rejected",
      note: `The servers differ about the same secret: ${listAnswers(verdicts)}.`,
    };
  }
  for (const { answer } of verdicts) {
    // Consumers of the other servers may be refused, so a person must see which servers those are.
    const isBlocked = answer instanceof AccountBlockedError;
    if (isMixed && answer instanceof TargetUnavailableError && !isBlocked) {
      throw new TargetUnavailableError(`Not every server answers: ${listAnswers(verdicts)}`);
    }
    if (answer instanceof Error) throw answer;
  }
  return { verdict: "accepted" };
}

function listAnswers(verdicts: readonly Verdict[]): string {
  const said = (answer: Verdict["answer"]) =>
    answer instanceof Error ? `gave no answer (${answer.message})` : `${answer} it`;
  return verdicts.map(({ name, answer }) => `${name} ${said(answer)}`).join("; ");
}

/** The examinations of all servers as one, with the right of the server that grants the least. */
export function joinExaminations(
  all: readonly Pick<Examination, "obstacles" | "right" | "warnings">[],
): Examination {
  const rights = all.map(({ right }) => right);
  const worst =
    rights.find(({ is }) => is === "missing") ?? rights.find(({ is }) => is === "likely");
  const warnings = all.flatMap((one) => one.warnings ?? []);
  return {
    obstacles: all.flatMap(({ obstacles }) => obstacles),
    right: worst ?? { is: "proven" },
    ...(warnings.length > 0 && { warnings }),
  };
}
