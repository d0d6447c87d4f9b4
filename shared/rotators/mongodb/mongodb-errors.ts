import { ChangeRefusedError, OutcomeUnknownError } from "../../core/errors.ts";
import { describeConnectionError, isHungUp } from "../common/connection/lost-line.ts";
import { config, type Meaning, refused, unavailable } from "../common/connection/meaning.ts";
import type { MongodbOptions } from "./mongodb-options.ts";

const authenticationFailed = 18;
const unauthorized = 13;

const notPrimary = unavailable(
  "the server is not the primary, and only the primary accepts changes. " +
    "Set options.hosts to the members of the replica set, and options.replicaSet to its name",
);
const commandNotTaken = refused("the server refuses the form of the command updateUser");
const passwordNotTaken = refused("the server refuses to set this password");
const noAccount = refused("the account does not exist in this authentication database");

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
  2: passwordNotTaken,
  9: commandNotTaken,
  11: noAccount,
  14: commandNotTaken,
  59: commandNotTaken,
  72: commandNotTaken,
  115: commandNotTaken,
  323: commandNotTaken,
  8000: refused("this service does not allow changes of accounts on the server itself"),
  10_107: notPrimary,
  13_435: notPrimary,
  13_436: notPrimary,
  40_414: commandNotTaken,
  40_415: commandNotTaken,
  // The server cannot prepare the password as SCRAM-SHA-256 demands (SASLprep).
  50_687: passwordNotTaken,
  50_692: passwordNotTaken,
  // Azure DocumentDB.
  67_137_668: noAccount,
};

/** The number of the server's answer; undefined without an answer. The text of the answer may repeat the command. */
function readAnswer(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== "MongoServerError") return undefined;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "number" ? code : undefined;
}

/** Whether the server checked this account and secret and refused them. */
export function isRejection(error: unknown): boolean {
  const answer = readAnswer(error);
  // Azure DocumentDB answers a wrong password in this way.
  const isInvalidKey = error instanceof Error && error.message.startsWith("Invalid key");
  return answer === authenticationFailed || (answer === unauthorized && isInvalidKey);
}

/** Whether the change is on the primary, and a majority of the replica set has not confirmed it. */
const isUnconfirmed = (error: unknown): boolean =>
  error instanceof Error && error.name === "MongoWriteConcernError";

const connectionLimit = "it has reached its connection limit (net.maxIncomingConnections)";

/** Why a server that accepts connections may close one without an answer. */
const hangUps: Readonly<Record<MongodbOptions["tls"]["mode"], string>> = {
  disable: `it requires TLS (set options.tls.mode to verify-full), or ${connectionLimit}`,
  "verify-full": `it offers no TLS (see options.tls.mode), or ${connectionLimit}`,
};

/** Whether the server accepted the connection and then closed it during the log-in, without an answer. */
export function isHangUp(error: unknown): boolean {
  const isNetwork = (each: unknown): boolean =>
    each instanceof Error && (each.name === "MongoNetworkError" || isNetwork(each.cause));
  return isNetwork(error) && isHungUp(error);
}

/** `isAnswered`: the server has answered on another connection. */
export function describeHangUp(mode: MongodbOptions["tls"]["mode"], isAnswered: boolean): string {
  return isAnswered
    ? `the server closed the connection during the log-in; perhaps ${connectionLimit}`
    : `the server closed the connection without an answer (ECONNRESET): ${hangUps[mode]}`;
}

/** Answers that mean: try again later. */
const passing = [6, 7, 50, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436];

/** Whether the server will never answer this query, or not to this account. */
export function isUnanswerable(error: unknown): boolean {
  const answer = readAnswer(error);
  return answer !== undefined && !passing.includes(answer);
}

const isForbidden = (error: unknown): boolean => readAnswer(error) === unauthorized;

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
  if (isForbidden(error)) {
    return new ChangeRefusedError(`${where}, code ${unauthorized}: ${why}`);
  }
  if (!isUnanswerable(error)) return toLoginError(error, where);
  return new ChangeRefusedError(
    `${where}, code ${String(readAnswer(error))}: Keyturn cannot find out who is logged in, because the server does not ` +
      "answer the query. Use retire: grace.",
  );
}

/** The error for any failure after the change was sent. `why` names the right that the account lacks. */
export function toChangeError(error: unknown, where: string, why: string): Error {
  if (isUnconfirmed(error)) {
    return new OutcomeUnknownError(
      `${where}: the primary has made the change, but a majority of the replica set has not confirmed it, so an election ` +
        "may undo it. Check the members with rs.status()",
    );
  }
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
