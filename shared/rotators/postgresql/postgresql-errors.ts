import { redact } from "../../core/secrets/redact.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { explainCode } from "../common/connection/lost-line.ts";
import {
  blocked,
  config,
  type Meaning,
  refused,
  unavailable,
} from "../common/connection/meaning.ts";

/** The parts of a driver's error that messages may contain. The rest may contain the statement, and with it the verifier. */
export interface Failure {
  /** The SQLSTATE of the server's answer; undefined without an answer. */
  readonly sqlState?: string;
  /** The server function that answered. Unlike the message, it is never translated. */
  readonly routine?: string;
  /** The code of the system or the TLS library, such as ECONNREFUSED. */
  readonly code?: string;
  /** The server's own words, without a secret. Present where the caller has named the secrets that they may contain. */
  readonly words?: string;
}

/** How a server requests a password. `md5` also says that it stores an MD5 verifier of the account. */
export type Request = "scram" | "md5" | "clear";

/** What the server has requested so far, and whether it has accepted the account. */
export interface Asked {
  password: boolean;
  how?: Request;
  /** SCRAM proves the password, and ends with the server's own proof. */
  serverProof: boolean;
  letIn: boolean;
  /** The process that serves this connection, as the server itself has announced it. */
  backend?: number;
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

/** Answers of poolers have no field for the server function. These are from PgBouncer, Odyssey, PgCat, Supavisor and RDS Proxy. */
const poolerRefusal =
  /authentication failed|no such (?:user|database)|bouncer|odyssey|\bpool|proxy|tenant|max_client_conn|client_login_timeout|query_wait_timeout|server_login_retry/i;

/** Longer words of a server are cut. */
const maxWords = 200;

export function toFailure(error: unknown, secrets?: readonly Secret[]): Failure {
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
    const routine = field("routine");
    if (routine === "" && poolerRefusal.test(text)) return { code: "POOLER" };
    const words = secrets && redact(text, secrets).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
    return {
      sqlState: /^[0-9A-Z]{5}$/.test(code) ? code : "XX000",
      routine,
      ...(words !== undefined && { words: words.slice(0, maxWords) }),
    };
  }
  return /^[A-Z][A-Z0-9_/]{2,60}$/.test(code) ? { code } : {};
}

const tooLate = (setting: string) =>
  unavailable(`the server ended the session, because its setting ${setting} is too short`);
const notUp = unavailable("the server is starting, stopping or recovering");
/** The server ended the session or the statement by itself. Nothing is wrong with the account, and nothing has changed. */
const endings: Readonly<Record<string, Meaning>> = {
  "25P03": tooLate("idle_in_transaction_session_timeout"),
  "25P04": tooLate("transaction_timeout"),
  "57014": unavailable("the server cancelled the statement, for example because it timed out"),
  "57P05": tooLate("idle_session_timeout"),
};

const noTls = "the server offers no TLS. Switch TLS on there, or set options.tls.mode to disable";
export const isPooler = config(
  "a connection pooler answers instead of the server. It may accept an old password, or refuse a new one. " +
    "Set options.direct to the address of the server itself; consumers still get options.host",
);
export const isStandby = unavailable(
  "the server is a standby, which accepts no changes. Set options.host to the primary, or promote this server",
);
const noToken = config(
  "the server does not request a token of this account. Create it as the account of the app's managed identity " +
    "(on Azure: SELECT * FROM pgaadauth_create_principal), or correct options.identityAccount",
);
const noPassword = config(
  "the server does not request this account's password, so a log-in proves nothing. " +
    "Set the account's line in pg_hba.conf to scram-sha-256 instead of trust, peer, cert or a ticket; " +
    "on a pooler, use another auth_type than any",
);

/** Answers to a log-in that say nothing about the credential, by SQLSTATE and, if it matters, the server function. */
const loginAnswers: Readonly<Record<string, Meaning>> = {
  "28000": blocked(
    "pg_hba.conf does not permit the account from this address, or requires TLS or a client certificate. " +
      "Add a line for the account and this address",
  ),
  "28000 InitializeSessionUserId": blocked(
    "the account is not permitted to log in. Run ALTER ROLE … LOGIN",
  ),
  "3D000": config("the database does not exist. Check options.database"),
  "42501": blocked(
    "the account may not connect to this database. Run GRANT CONNECT ON DATABASE, or check options.database",
  ),
  "53300": unavailable(
    "the server accepts no more connections. Close idle ones, or raise max_connections",
  ),
  "53300 InitializeSessionUserId": blocked(
    "the account has all the connections that its CONNECTION LIMIT allows",
  ),
  "53300 CheckMyDatabase": blocked(
    "the database has all the connections that its CONNECTION LIMIT allows",
  ),
  "55000": blocked(
    "the database accepts no connections. Run ALTER DATABASE … ALLOW_CONNECTIONS true",
  ),
  "57P03": notUp,
};

const afterPassword = blocked(
  "the server accepts the password and then ends the session: a log-in trigger of the database, or a library of " +
    "session_preload_libraries or local_preload_libraries, fails. Correct it, or exempt the account",
);
/** Answers that are the same after the password, by the function of the server or the class of the SQLSTATE. */
const otherReasons = {
  routines: ["CheckMyDatabase", "InitPostgres", "InitializeSessionUserId"],
  classes: ["08", "53", "57"],
};

/** Answers to the change itself, by SQLSTATE or its class. All other answers are refusals. */
const changeAnswers: Readonly<Record<string, Meaning>> = {
  ...endings,
  "42501": refused("the admin lacks the right to change this password"),
  "42704": refused("the account does not exist"),
  "25006": unavailable("the server has become read-only, perhaps a standby"),
  "0A000 check_transaction_read_only": isStandby,
  "55P03": unavailable("the account is locked by another change"),
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
  isToken = false,
): "accepted" | "rejected" | Error {
  const { asked } = heard;
  if (failure?.code === "POOLER") return isPooler(where);
  // A server that checks tokens must see them. Any other request is for a password that the account has as well.
  if (isToken && asked.password && asked.how !== "clear") return noToken(where);
  if (failure === undefined && isProof(asked)) return "accepted";
  if (asked.letIn && !isProof(asked)) return noPassword(where);
  if (failure === undefined) return unavailable("the connection was lost")(where);
  return judgeFailure(heard, failure, where);
}

function judgeFailure(heard: Heard, failure: Failure, where: string): "rejected" | Error {
  const { sqlState, routine, code } = failure;
  if (code === "OTHER_PROOF") return noPassword(where);
  if (sqlState === "28P01") return "rejected";
  // The server also sends this to an account that LDAP or PAM refuses, or that has no ticket or certificate.
  if (sqlState === "28000" && routine === "auth_failed") {
    return heard.asked.password ? "rejected" : noPassword(where);
  }
  const late = heard.late();
  if (late !== undefined) return unavailable(late)(where);
  return isAfterPassword(heard, failure)
    ? explain(failure, where, afterPassword)
    : toLoginError(failure, where);
}

/** Whether something that runs after the check of the password has refused the session. */
function isAfterPassword({ asked }: Heard, { sqlState, routine = "" }: Failure): boolean {
  if (!asked.letIn || sqlState === undefined) return false;
  const { routines, classes } = otherReasons;
  return !routines.includes(routine) && !classes.includes(sqlState.slice(0, 2));
}

/** Whether the server checked the password, so that a log-in proves it. */
function isProof({ password, how, serverProof }: Asked): boolean {
  return password && (how !== "scram" || serverProof);
}

export function toLoginError(failure: Failure, where: string): Error {
  const { sqlState = "", routine = "" } = failure;
  const meaning =
    loginAnswers[`${sqlState} ${routine}`] ??
    loginAnswers[sqlState] ??
    endings[sqlState] ??
    unavailable("the query failed");
  return explain(failure, where, meaning);
}

/** The error for any failure of a query in an open session. */
export function lookError(failure: Failure, where: string): Error {
  const { sqlState = "" } = failure;
  const meaning =
    sqlState === "42501"
      ? refused("the authority lacks the right to read the catalog")
      : (endings[sqlState] ??
        (sqlState.startsWith("57") ? notUp : unavailable("the query failed")));
  return explain(failure, where, meaning);
}

/** The error for a change that cannot have taken effect. */
export function toChangeError(failure: Failure, where: string, advice?: string): Error {
  const { sqlState: state = "08", routine = "", words } = failure;
  const known =
    changeAnswers[`${state} ${routine}`] ??
    changeAnswers[state] ??
    changeAnswers[state.slice(0, 2)];
  const said = words === undefined ? "" : `: "${words}"`;
  const plain = refused(
    `the server refuses the change${said}${advice === undefined ? "" : `. ${advice}`}`,
  );
  return explain(failure, where, known ?? plain);
}

function explain(failure: Failure, where: string, meaning: Meaning): Error {
  if (failure.code === "POOLER") return isPooler(where);
  if (failure.sqlState !== undefined) return meaning(`${where}, SQLSTATE ${failure.sqlState}`);
  const code = failure.code ?? "no answer";
  const sentence = code === "NO_TLS" ? noTls : explainCode(code, "options.tls.caFile");
  return unavailable(sentence ?? "the connection was lost")(`${where}, ${code}`);
}
