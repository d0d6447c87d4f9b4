import { ChangeRefusedError, ConfigError, TargetUnavailableError } from "../core/errors.ts";
import { explainCode } from "./lost-line.ts";

/** What may be told of a driver's error. The rest may hold the statement, and with it the verifier. */
export interface Failure {
  /** The server's answer; undefined when it gave none. */
  readonly sqlState?: string;
  /** The function of the server that answered. Unlike its message, never translated. */
  readonly routine?: string;
  /** Of the system or the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
}

/** The driver's only error in place of a code that tells more than that the line was lost. */
const driverNoTls = "The server does not support SSL connections";

export function failureOf(error: unknown): Failure {
  if (error instanceof Error && error.message === driverNoTls) return { code: "NO_TLS" };
  const field = (name: string): string => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
    return typeof value === "string" ? value : "";
  };
  const code = field("code");
  // Only an answer of the server has a severity. It is printed, so it must look like a code and be no text.
  if (field("severity") !== "") {
    return { sqlState: /^[0-9A-Z]{5}$/.test(code) ? code : "XX000", routine: field("routine") };
  }
  return /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? { code } : {};
}

const unavailable = (sentence: string) => (where: string) =>
  new TargetUnavailableError(`${where}: ${sentence}`);
const config = (sentence: string) => (where: string) => new ConfigError(`${where}: ${sentence}`);
const changeRefused = (sentence: string) => (where: string) =>
  new ChangeRefusedError(`${where}: ${sentence}`);

type Meaning = (where: string) => Error;

const noTls = "the server offers no TLS; only options.tls.mode disable would log in without";

const noCapacity = unavailable("it takes no more connections");
const notUp = unavailable("it is starting, stopping or recovering");

/** Answers to a log-in that say nothing about the credential. */
const loginAnswers: Readonly<Record<string, Meaning>> = {
  "28000": unavailable("pg_hba.conf lets this account not in from here, or not without TLS"),
  "3D000": config("there is no such database; see options.database"),
  "42501": config("the account may not connect to this database; see options.database"),
  "53300": noCapacity,
  "57P03": notUp,
};

/** Answers to the change itself, by SQLSTATE or its class. What is not listed is a refusal. */
const changeAnswers: Readonly<Record<string, Meaning>> = {
  "42501": changeRefused("the account we logged in with may not change this password"),
  "42704": changeRefused("there is no such account"),
  "22023": changeRefused("it does not take this password"),
  "25006": unavailable("it is read-only, perhaps a replica"),
  "55P03": unavailable("the account is locked by another change"),
  "57014": unavailable("the change took too long and was cancelled"),
  "08": unavailable("the connection failed"),
  "40": unavailable("the change lost against another transaction"),
  "53": unavailable("it is short of resources"),
  "55": unavailable("it is not in a state to do this"),
  "57": notUp,
  "58": unavailable("it has a fault"),
  XX: unavailable("it has a fault, or another change came between"),
};

/** Whether the server looked at this very account and secret, and said no. */
export function isRejection({ sqlState, routine }: Failure): boolean {
  if (sqlState === "28P01") return true;
  // The same code also means "not from this address", which ClientAuthentication says without looking at a secret.
  return (
    sqlState === "28000" && (routine === "InitializeSessionUserId" || routine === "auth_failed")
  );
}

export function loginError(failure: Failure, where: string): Error {
  const meaning = loginAnswers[failure.sqlState ?? ""] ?? unavailable("it could not be asked");
  return explain(failure, where, meaning);
}

/** Only for a change that cannot have taken effect. */
export function changeError(failure: Failure, where: string): Error {
  const state = failure.sqlState ?? "08";
  const meaning =
    changeAnswers[state] ?? changeAnswers[state.slice(0, 2)] ?? changeRefused("it refused");
  return explain(failure, where, meaning);
}

function explain(failure: Failure, where: string, meaning: Meaning): Error {
  if (failure.sqlState !== undefined) return meaning(`${where}, SQLSTATE ${failure.sqlState}`);
  const code = failure.code ?? "no answer";
  const sentence = code === "NO_TLS" ? noTls : explainCode(code, "options.tls.caFile");
  return unavailable(sentence ?? "the line was lost")(`${where}, ${code}`);
}
