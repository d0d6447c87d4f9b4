import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { explainCode } from "../connection/lost-line.ts";

/** The parts of a driver's error that messages may contain. The rest may contain the statement, and with it the verifier. */
export interface Failure {
  /** The SQLSTATE of the server's answer; undefined without an answer. */
  readonly sqlState?: string;
  /** The server function that answered. Unlike the message, it is never translated. */
  readonly routine?: string;
  /** The code of the system or the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
}

/** What the server has requested so far, and whether it has accepted the account. */
export interface Asked {
  password: boolean;
  /** SCRAM proves the password, and ends with the server's own proof. */
  scram: boolean;
  serverProof: boolean;
  letIn: boolean;
}

/** The result of a log-in, successful or not. */
interface Heard {
  readonly asked: Readonly<Asked>;
  /** Says that the time is over, if it is. */
  late(): string | undefined;
}

/** Errors of the driver with a meaning but without a code. */
const driverErrors: readonly (readonly [text: RegExp, code: string])[] = [
  [/^The server does not support SSL connections$/, "NO_TLS"],
  [/^Unknown authenticationOk message type/, "OTHER_PROOF"],
  [/^SASL: Only mechanism\(s\) /, "OTHER_PROOF"],
];

export function toFailure(error: unknown): Failure {
  const text = error instanceof Error ? error.message : "";
  const known = driverErrors.find(([pattern]) => pattern.test(text));
  if (known !== undefined) return { code: known[1] };
  const field = (name: string): string => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
    return typeof value === "string" ? value : "";
  };
  const code = field("code");
  // Only an answer of the server has a severity. The code is printed, so it must look like a code and not like a text.
  if (field("severity") !== "") {
    return { sqlState: /^[0-9A-Z]{5}$/.test(code) ? code : "XX000", routine: field("routine") };
  }
  return /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? { code } : {};
}

const unavailable = (sentence: string) => (where: string) =>
  new TargetUnavailableError(`${where}: ${sentence}`);
const config = (sentence: string) => (where: string) => new ConfigError(`${where}: ${sentence}`);
const toChangeRefused = (sentence: string) => (where: string) =>
  new ChangeRefusedError(`${where}: ${sentence}`);

type Meaning = (where: string) => Error;

const notUp = unavailable("the server is starting, stopping or recovering");
const toBlocked = (sentence: string) => (where: string) =>
  new AccountBlockedError(`${where}: ${sentence}`);

const noTls = "the server offers no TLS. Switch TLS on there, or set options.tls.mode to disable";
const noPassword = config(
  "the server does not request this account's password, so a log-in proves nothing. " +
    "Set the account's line in pg_hba.conf to scram-sha-256 instead of trust, peer, cert or a ticket; " +
    "on a pooler, use another auth_type than any",
);

/** Answers to a log-in that say nothing about the credential, by SQLSTATE and, if it matters, the server function. */
const loginAnswers: Readonly<Record<string, Meaning>> = {
  "28000": toBlocked(
    "pg_hba.conf does not permit the account from this address, or requires TLS or a client certificate. " +
      "Add a line for the account and this address",
  ),
  "28000 InitializeSessionUserId": toBlocked(
    "the account is not permitted to log in. Run ALTER ROLE … LOGIN",
  ),
  "3D000": config("the database does not exist. Check options.database"),
  "42501": toBlocked(
    "the account may not connect to this database. Run GRANT CONNECT ON DATABASE, or check options.database",
  ),
  "53300": unavailable("the server accepts no more connections"),
  "53300 InitializeSessionUserId": toBlocked(
    "the account has all the connections that its CONNECTION LIMIT allows",
  ),
  "53300 CheckMyDatabase": toBlocked(
    "the database has all the connections that its CONNECTION LIMIT allows",
  ),
  "55000": toBlocked(
    "the database accepts no connections. Run ALTER DATABASE … ALLOW_CONNECTIONS true",
  ),
  "57P03": notUp,
};

/** Answers to the change itself, by SQLSTATE or its class. All other answers are refusals. */
const changeAnswers: Readonly<Record<string, Meaning>> = {
  "42501": toChangeRefused("the admin lacks the right to change this password"),
  "42704": toChangeRefused("the account does not exist"),
  "22023": toChangeRefused("the server refuses to set this password"),
  "25006": unavailable("the server is read-only, perhaps a replica"),
  "55P03": unavailable("the account is locked by another change"),
  "57014": unavailable("the server cancelled the change, for example because it timed out"),
  "08": unavailable("the connection failed"),
  "40": unavailable("the change conflicted with another transaction"),
  "53": unavailable("the server has too few resources"),
  "55": unavailable("the server cannot make the change in its present state"),
  "57": notUp,
  "58": unavailable("the server has an internal error"),
  XX: unavailable("the server has an internal error, or another change came in between"),
};

/** The result of a log-in. `failure` is undefined when the server accepted the account. */
export function toLoginVerdict(
  heard: Heard,
  failure: Failure | undefined,
  where: string,
): "accepted" | "rejected" | Error {
  const { asked } = heard;
  if (failure === undefined && isProof(asked)) return "accepted";
  if (asked.letIn && !isProof(asked)) return noPassword(where);
  if (failure === undefined) return unavailable("the connection was lost")(where);
  const { sqlState, routine, code } = failure;
  if (code === "OTHER_PROOF") return noPassword(where);
  if (sqlState === "28P01") return "rejected";
  // The server also sends this to an account that LDAP or PAM refuses, or that has no ticket or certificate.
  if (sqlState === "28000" && routine === "auth_failed") {
    return asked.password ? "rejected" : noPassword(where);
  }
  const late = heard.late();
  if (late !== undefined) return unavailable(late)(where);
  return toLoginError(failure, where);
}

/** Whether the server checked the password, so that a log-in proves it. */
function isProof({ password, scram, serverProof }: Asked): boolean {
  return password && (!scram || serverProof);
}

export function toLoginError(failure: Failure, where: string): Error {
  const { sqlState = "", routine = "" } = failure;
  const meaning =
    loginAnswers[`${sqlState} ${routine}`] ??
    loginAnswers[sqlState] ??
    unavailable("the query failed");
  return explain(failure, where, meaning);
}

/** The error for any failure of a query in an open session. */
export function lookError(failure: Failure, where: string): Error {
  const meaning =
    failure.sqlState === "42501"
      ? toChangeRefused("the authority lacks the right to read the catalog")
      : failure.sqlState?.startsWith("57") === true
        ? notUp
        : unavailable("the query failed");
  return explain(failure, where, meaning);
}

/** The error for a change that cannot have taken effect. */
export function toChangeError(failure: Failure, where: string): Error {
  const state = failure.sqlState ?? "08";
  const meaning =
    changeAnswers[state] ??
    changeAnswers[state.slice(0, 2)] ??
    toChangeRefused("the server refuses the change");
  return explain(failure, where, meaning);
}

function explain(failure: Failure, where: string, meaning: Meaning): Error {
  if (failure.sqlState !== undefined) return meaning(`${where}, SQLSTATE ${failure.sqlState}`);
  const code = failure.code ?? "no answer";
  const sentence = code === "NO_TLS" ? noTls : explainCode(code, "options.tls.caFile");
  return unavailable(sentence ?? "the connection was lost")(`${where}, ${code}`);
}
