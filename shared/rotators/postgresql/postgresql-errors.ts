import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { explainCode } from "../connection/lost-line.ts";

/** What may be told of a driver's error. The rest may hold the statement, and with it the verifier. */
export interface Failure {
  /** The server's answer; undefined when it gave none. */
  readonly sqlState?: string;
  /** The function of the server that answered. Unlike its message, never translated. */
  readonly routine?: string;
  /** Of the system or the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
}

/** What the server has asked for so far, and whether it has let the account in. */
export interface Asked {
  password: boolean;
  /** The password is proven by SCRAM, which ends with the server's own proof. */
  scram: boolean;
  serverProof: boolean;
  letIn: boolean;
}

/** What a log-in leaves behind, be it let in or not. */
interface Heard {
  readonly asked: Readonly<Asked>;
  /** Why nothing more is waited for, if the time is over. */
  late(): string | undefined;
}

/** Errors of the driver that have a meaning and no code. */
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
  // Only an answer of the server has a severity. It is printed, so it must look like a code and be no text.
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

const notUp = unavailable("it is starting, stopping or recovering");
const toBlocked = (sentence: string) => (where: string) =>
  new AccountBlockedError(`${where}: ${sentence}`);

const noTls = "the server offers no TLS; only options.tls.mode disable would log in without";
const noPassword = config(
  "the server does not ask for this account's password, so a log-in proves nothing. " +
    "Set the account's line in pg_hba.conf to scram-sha-256 instead of trust, peer, cert or a ticket; " +
    "on a pooler, use another auth_type than any",
);

/** Answers to a log-in that say nothing about the credential, by SQLSTATE and, where it matters, the server's function. */
const loginAnswers: Readonly<Record<string, Meaning>> = {
  "28000": toBlocked(
    "pg_hba.conf does not let this account in from here, or not without TLS or a client certificate; " +
      "add a line for it and this address",
  ),
  "28000 InitializeSessionUserId": toBlocked(
    "the account is not permitted to log in; an admin permits it with ALTER ROLE … LOGIN",
  ),
  "3D000": config("there is no such database; see options.database"),
  "42501": toBlocked(
    "the account may not connect to this database, which takes GRANT CONNECT ON DATABASE; see options.database",
  ),
  "53300": unavailable("it takes no more connections"),
  "53300 InitializeSessionUserId": toBlocked(
    "the account has all the connections that its CONNECTION LIMIT allows",
  ),
  "53300 CheckMyDatabase": toBlocked(
    "the database has all the connections that its CONNECTION LIMIT allows",
  ),
  "55000": toBlocked("the database takes no connections; see ALTER DATABASE … ALLOW_CONNECTIONS"),
  "57P03": notUp,
};

/** Answers to the change itself, by SQLSTATE or its class. What is not listed is a refusal. */
const changeAnswers: Readonly<Record<string, Meaning>> = {
  "42501": toChangeRefused("the account we logged in with may not change this password"),
  "42704": toChangeRefused("there is no such account"),
  "22023": toChangeRefused("it does not take this password"),
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

/** What a log-in came to. `failure` is undefined when the server let the account in. */
export function loginVerdict(
  heard: Heard,
  failure: Failure | undefined,
  where: string,
): "accepted" | "rejected" | Error {
  const { asked } = heard;
  if (failure === undefined && isProof(asked)) return "accepted";
  if (asked.letIn && !isProof(asked)) return noPassword(where);
  if (failure === undefined) return unavailable("the line was lost")(where);
  const { sqlState, routine, code } = failure;
  if (code === "OTHER_PROOF") return noPassword(where);
  if (sqlState === "28P01") return "rejected";
  // Who is kept out by LDAP or PAM is told this, and so is who has no ticket or certificate.
  if (sqlState === "28000" && routine === "auth_failed") {
    return asked.password ? "rejected" : noPassword(where);
  }
  const late = heard.late();
  if (late !== undefined) return unavailable(late)(where);
  return loginError(failure, where);
}

/** Whether the password was looked at, so that a log-in proves it. */
function isProof({ password, scram, serverProof }: Asked): boolean {
  return password && (!scram || serverProof);
}

export function loginError(failure: Failure, where: string): Error {
  const { sqlState = "", routine = "" } = failure;
  const meaning =
    loginAnswers[`${sqlState} ${routine}`] ??
    loginAnswers[sqlState] ??
    unavailable("it could not be asked");
  return explain(failure, where, meaning);
}

/** For whatever fails while a session that is logged in only looks. */
export function lookError(failure: Failure, where: string): Error {
  const meaning =
    failure.sqlState === "42501"
      ? toChangeRefused("the account we logged in with may not see what it must look at")
      : failure.sqlState?.startsWith("57") === true
        ? notUp
        : unavailable("it could not be asked");
  return explain(failure, where, meaning);
}

/** Only for a change that cannot have taken effect. */
export function changeError(failure: Failure, where: string): Error {
  const state = failure.sqlState ?? "08";
  const meaning =
    changeAnswers[state] ?? changeAnswers[state.slice(0, 2)] ?? toChangeRefused("it refused");
  return explain(failure, where, meaning);
}

function explain(failure: Failure, where: string, meaning: Meaning): Error {
  if (failure.sqlState !== undefined) return meaning(`${where}, SQLSTATE ${failure.sqlState}`);
  const code = failure.code ?? "no answer";
  const sentence = code === "NO_TLS" ? noTls : explainCode(code, "options.tls.caFile");
  return unavailable(sentence ?? "the line was lost")(`${where}, ${code}`);
}
