import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { describeConnectionError } from "../connection/lost-line.ts";

const unavailable = (sentence: string) => (where: string) =>
  new TargetUnavailableError(`${where}: ${sentence}`);
const toChangeRefused = (sentence: string) => (where: string) =>
  new ChangeRefusedError(`${where}: ${sentence}`);
const config = (sentence: string) => (where: string) => new ConfigError(`${where}: ${sentence}`);

type Meaning = (where: string) => Error;

const authenticationFailed = 18;
const unauthorized = 13;

const notPrimary = unavailable(
  "the server is not the primary, and only the primary accepts changes",
);
const commandNotTaken = toChangeRefused("the server refuses the form of the command updateUser");

/** Answers to a log-in or a query that say nothing about the credential. */
const loginAnswers: Readonly<Record<number, Meaning>> = {
  [unauthorized]: unavailable("the account lacks the right to query the server"),
  334: config("the server has SCRAM switched off, so no log-in with a password is possible"),
  10_107: notPrimary,
  13_435: notPrimary,
  13_436: notPrimary,
};

/**
 * Answers to a change that certainly did nothing. Other answers can follow a change that took effect: the server does not undo an
 * operation that is interrupted, times out, or does not reach a majority.
 */
const changeAnswers: Readonly<Record<number, Meaning>> = {
  2: toChangeRefused("the server refuses to set this password"),
  9: commandNotTaken,
  11: toChangeRefused("the account does not exist in this authentication database"),
  14: commandNotTaken,
  59: commandNotTaken,
  72: commandNotTaken,
  115: commandNotTaken,
  323: commandNotTaken,
  8000: toChangeRefused("this service does not allow changes of accounts on the server itself"),
  10_107: notPrimary,
  13_435: notPrimary,
  13_436: notPrimary,
  40_414: commandNotTaken,
  40_415: commandNotTaken,
};

/** The number of the server's answer; undefined without an answer. The text of the answer may repeat the command. */
function readAnswer(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== "MongoServerError") return undefined;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "number" ? code : undefined;
}

/** Whether the server checked this account and secret and refused them. */
export const isRejection = (error: unknown): boolean => readAnswer(error) === authenticationFailed;

/** Answers that mean: try again later. */
const passing = [6, 7, 50, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436];

/** Whether the server will never answer this query, or not to this account. */
export function isUnanswerable(error: unknown): boolean {
  const answer = readAnswer(error);
  return answer !== undefined && !passing.includes(answer);
}

export const isForbidden = (error: unknown): boolean => readAnswer(error) === unauthorized;

/** The error for any failure before the change was sent. */
export function toLoginError(error: unknown, where: string): Error {
  const answer = readAnswer(error);
  if (answer === undefined)
    return unavailable(describeConnectionError(error, "options.tls.caFile"))(where);
  const meaning = loginAnswers[answer] ?? unavailable("the query failed");
  return meaning(`${where}, code ${answer}`);
}

/** The error for any failure of the query for sessions. `why` names the right that the account lacks. */
export function lookError(error: unknown, where: string, why: string): Error {
  if (!isForbidden(error)) return toLoginError(error, where);
  return new ChangeRefusedError(`${where}, code ${unauthorized}: ${why}`);
}

/** The error for any failure after the change was sent. `why` names the right that the account lacks. */
export function toChangeError(error: unknown, where: string, why: string): Error {
  const answer = readAnswer(error);
  if (answer === unauthorized) return new ChangeRefusedError(`${where}, code ${answer}: ${why}`);
  const meaning = changeAnswers[answer ?? 0];
  if (meaning) return meaning(`${where}, code ${String(answer)}`);
  const how =
    answer === undefined
      ? describeConnectionError(error)
      : `the server answered with code ${answer}`;
  return new OutcomeUnknownError(
    `${where}: ${how} while the change was being made; either password may be valid`,
  );
}
