import { isKnownError, OutcomeUnknownError, TargetUnavailableError } from "../../core/errors.ts";
import { describeConnectionError } from "../common/connection/lost-line.ts";
import { type Meaning, refused } from "../common/connection/meaning.ts";
import { findKnown, outages, type SqlFailure } from "../common/sql-server/sql-server-errors.ts";
import { StatementError } from "./azure-sql-session.ts";
import { tooLongToQuote } from "./azure-sql-statements.ts";

const tooSimple = refused(
  "the server refuses the secret, because it is not complex enough. Allow more classes of characters in the password rules of the policy",
);
const policy = (what: string) =>
  refused(
    `the password policy of the server refuses the secret, because it is ${what}. Change the password rules of the policy`,
  );
const denied = refused(
  "the authority lacks a right that the statement needs. Compare its grants with docs/rotators/azure-sql.md",
);

/** Numbers with which a server refuses a change. Nothing is changed. */
const refusals: Readonly<Record<number, Meaning>> = {
  229: denied,
  262: denied,
  297: denied,
  300: denied,
  15_114: policy("too soon after the last change"),
  15_115: policy("one that the account had before"),
  15_116: policy("too short"),
  15_117: policy("too long"),
  15_118: tooSimple,
  15_119: policy("refused by a password filter"),
  15_151: refused("the account does not exist, or the authority lacks the right to change it"),
  15_247: denied,
  40_632: tooSimple,
  [tooLongToQuote]: refused("the name or the secret is too long for the server to quote"),
};

/** The error for a statement that would have changed something. */
export function toChangeError(failure: SqlFailure, where: string): Error {
  const { numbers, isFatal = false } = failure;
  const [first] = numbers;
  if (first === undefined || isFatal) {
    return new OutcomeUnknownError(
      `${where}: the connection was lost while the change was being made; either password may be valid`,
    );
  }
  const meaning = findKnown(numbers, refusals) ?? findKnown(numbers, outages);
  if (meaning) return meaning(where);
  return refused("the server refuses the change")(`${where}, error ${first}`);
}

/** The error for a statement that only reads. Errors with a meaning stay as they are. */
export function toLookError(error: unknown, where: string): Error {
  if (isKnownError(error)) return error;
  const failure = error instanceof StatementError ? error.failure : { numbers: [], cause: error };
  const [first] = failure.numbers;
  if (first === undefined) {
    return new TargetUnavailableError(`${where}: ${describeConnectionError(failure.cause)}`);
  }
  const meaning = findKnown(failure.numbers, outages) ?? findKnown(failure.numbers, refusals);
  if (meaning) return meaning(where);
  return new TargetUnavailableError(`${where}, error ${first}: the query failed`);
}

export function isRefusal(error: unknown): error is StatementError {
  return error instanceof StatementError && error.failure.numbers.length > 0;
}
