import {
  AccountBlockedError,
  type KnownError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../core/errors.ts";
import type { Examination, ServerReport } from "../../rotator.ts";

/** What a server answered to log-ins after an attempt to set it back. Undefined: it was not asked, or did not answer. */
export interface Answers {
  readonly server: string;
  readonly acceptsEarlier: boolean | undefined;
  readonly acceptsNew: boolean | undefined;
  /** The answers do not come from a copy that was made before the change. */
  readonly isCertain: boolean;
}

export function toReport(answers: Answers): ServerReport {
  const { server, acceptsEarlier, acceptsNew, isCertain } = answers;
  if (acceptsEarlier === true) {
    return { server, state: isCertain ? "accepts the earlier secret" : "may have either secret" };
  }
  if (acceptsNew === true) return { server, state: "accepts only the new secret" };
  return acceptsEarlier === undefined || acceptsNew === undefined
    ? { server, state: "gave no answer" }
    : { server, state: "accepts neither secret, so the account is locked out there" };
}

/** Whether another try within the same call could succeed: the server did not answer, or its answer was lost. */
export function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof TargetUnavailableError || error instanceof OutcomeUnknownError;
}

/** The error for a change that some servers have and others do not. Its cause is the failure at the server with the index `failed`. */
export function toPartialError(servers: readonly string[], failed: number, why: KnownError): Error {
  const isOpen = why instanceof OutcomeUnknownError;
  const list = servers.map((server, index) => {
    const state = index === failed && isOpen ? "may be changed" : "is not changed";
    return `${server} ${index < failed ? "is changed" : state}`;
  });
  const sentence = `${why.message}. The servers differ: ${list.join("; ")}`;
  return new OutcomeUnknownError(sentence, { cause: why });
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
