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

const notPrimary = unavailable("it is not the primary, which alone takes changes");
const commandNotTaken = toChangeRefused("it does not take the command updateUser as we send it");

/** Answers to a log-in, or to a question, that say nothing about the credential. */
const loginAnswers: Readonly<Record<number, Meaning>> = {
  [unauthorized]: unavailable("the account is not allowed to ask"),
  334: config("the server has SCRAM switched off, so no password logs in"),
  10_107: notPrimary,
  13_435: notPrimary,
  13_436: notPrimary,
};

/**
 * Answers to the change with which the server says that it did nothing. Many others come when it may have: an
 * operation that is interrupted, times out or waits for a majority in vain is not undone.
 */
const changeAnswers: Readonly<Record<number, Meaning>> = {
  2: toChangeRefused("it does not take this password"),
  9: commandNotTaken,
  11: toChangeRefused("there is no such account in this authentication database"),
  14: commandNotTaken,
  59: commandNotTaken,
  72: commandNotTaken,
  115: commandNotTaken,
  323: commandNotTaken,
  8000: toChangeRefused("accounts of this service are not changed on the server itself"),
  10_107: notPrimary,
  13_435: notPrimary,
  13_436: notPrimary,
  40_414: commandNotTaken,
  40_415: commandNotTaken,
};

/** Number of the server's answer; undefined when it gave none. Its text may repeat what it was sent. */
function readAnswer(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== "MongoServerError") return undefined;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "number" ? code : undefined;
}

/** Whether the server looked at this very account and secret, and said no. */
export const isRejection = (error: unknown): boolean => readAnswer(error) === authenticationFailed;

/** Answers that say: not now. */
const passing = [6, 7, 50, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436];

/** Whether the server does not answer this question, at least not to us, and never will. */
export function isUnanswerable(error: unknown): boolean {
  const answer = readAnswer(error);
  return answer !== undefined && !passing.includes(answer);
}

export const isForbidden = (error: unknown): boolean => readAnswer(error) === unauthorized;

/** For whatever fails before a change was sent. */
export function loginError(error: unknown, where: string): Error {
  const answer = readAnswer(error);
  if (answer === undefined)
    return unavailable(describeConnectionError(error, "options.tls.caFile"))(where);
  const meaning = loginAnswers[answer] ?? unavailable("it could not be asked");
  return meaning(`${where}, code ${answer}`);
}

/** For whatever fails while it is asked who is logged in. `why` says what is missing to who may not ask. */
export function lookError(error: unknown, where: string, why: string): Error {
  if (!isForbidden(error)) return loginError(error, where);
  return new ChangeRefusedError(`${where}, code ${unauthorized}: ${why}`);
}

/** For whatever fails after a change was sent. `why` says what is missing to who may not make it. */
export function changeError(error: unknown, where: string, why: string): Error {
  const answer = readAnswer(error);
  if (answer === unauthorized) return new ChangeRefusedError(`${where}, code ${answer}: ${why}`);
  const meaning = changeAnswers[answer ?? 0];
  if (meaning) return meaning(`${where}, code ${String(answer)}`);
  const how =
    answer === undefined ? describeConnectionError(error) : `it answered with code ${answer}`;
  return new OutcomeUnknownError(
    `${where}: ${how} while the change was being made; either password may be valid`,
  );
}
