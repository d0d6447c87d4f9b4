import { explainCode } from "../common/connection/lost-line.ts";
import {
  blocked,
  config,
  type Meaning,
  refused,
  unavailable,
  unknown,
} from "../common/connection/meaning.ts";

/** The parts of a driver's error that messages may contain. The rest may contain the statement, and with it the password. */
export interface Failure {
  /**
   * The number in the server's answer; undefined without an answer. The driver's name for a number is not used: MySQL and MariaDB give
   * some numbers different meanings.
   */
  readonly errno?: number;
  /** The code of the system, the TLS library or the driver, such as ECONNREFUSED. */
  readonly code?: string;
}

export function toFailure(error: unknown): Failure {
  const field = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : "");
  const errno = field("errno");
  // Only an answer of the server has a message of its own.
  if (typeof errno === "number" && typeof field("sqlMessage") === "string") return { errno };
  const code = field("code");
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,50}$/.test(code) ? { code } : {};
}

const accessDenied = 1045;
/** The password is right and has expired, so consumers are refused. A new password ends that. */
const expired: ReadonlySet<number | undefined> = new Set([1820, 1862]);
export const lackOfRight: ReadonlySet<number | undefined> = new Set([1044, 1142, 1143, 1227, 1370]);
export const noSuchTable: ReadonlySet<number | undefined> = new Set([1109, 1146]);
export const rulesReject = 1819;
export const historyRejects = 3638;
export const noSuchAccount: ReadonlySet<number | undefined> = new Set([1133, 1396]);
/** The password after REPLACE is not the first password of the account, or is missing. */
export const notFirst = 3891;
export const needsCurrent = 3892;

const noPassword = config(
  "the server does not request this account's password, so a log-in proves nothing. " +
    "Give the account a password with ALTER USER … IDENTIFIED BY, or rotate another account",
);
const readOnly = unavailable(
  "the server is read-only, perhaps a replica. Set options.host to the server that accepts changes",
);
/** The server may have carried out some of the change: MariaDB changes one host of an account after the other. */
const interrupted = unknown("the server interrupted the change; either password may be valid");
const lockWait = unavailable("another change or a backup blocks the change");
const down = unavailable(
  "the server is starting or stopping, or ended the connection or the query",
);

/** Answers to a log-in that say nothing about the credential. */
const loginAnswers: Readonly<Record<number, Meaning>> = {
  1040: unavailable("the server accepts no more connections (max_connections)"),
  1129: unavailable(
    "the server blocks this address after too many broken connections. Run FLUSH HOSTS, or TRUNCATE TABLE performance_schema.host_cache",
  ),
  1130: blocked(
    "no account may connect to the server from this address. Create the account for this address or for %",
  ),
  1184: unavailable("the server ended the connection, perhaps because init_connect failed"),
  1203: blocked("the account has all the connections that max_user_connections allows"),
  1226: blocked("the account has used up a limit, such as MAX_USER_CONNECTIONS"),
  1251: config("the account logs in with a method that this client does not have"),
  1524: blocked("the server has not loaded the authentication plugin of the account"),
  1698: noPassword,
  3032: unavailable("the server is in offline mode"),
  3118: blocked("the account is locked. Run ALTER USER … ACCOUNT UNLOCK"),
  3159: config("the server requires TLS. Set options.tls.mode to verify-full"),
  3955: blocked(
    "the account is locked after too many failed log-ins. Run ALTER USER … ACCOUNT UNLOCK, or wait",
  ),
  4150: blocked(
    "the server blocks the account after too many wrong passwords (max_password_errors). Run FLUSH PRIVILEGES",
  ),
  4151: blocked("the account is locked. Run ALTER USER … ACCOUNT UNLOCK"),
};

/** Answers to any statement that say nothing about the account. */
const statementAnswers: Readonly<Record<number, Meaning>> = {
  1053: down,
  1205: lockWait,
  1213: lockWait,
  1290: unavailable("an option of the server, such as read_only, prevents the change"),
  1317: down,
  1792: readOnly,
  1836: readOnly,
  1927: down,
  3169: down,
  4031: down,
};

/** Answers to the change itself. All other answers are refusals. */
const changeAnswers: Readonly<Record<number, Meaning>> = {
  ...statementAnswers,
  1053: interrupted,
  1317: interrupted,
  1927: interrupted,
  3169: interrupted,
  1064: refused("the server does not know the statement that changes a password"),
  1133: refused("the account does not exist"),
  1396: refused("the account does not exist, or not for every host in options.hosts"),
  1470: refused("the account does not exist, because its name is too long"),
  1699: refused("the account does not log in with a password"),
  1819: refused(
    "the server's rules reject the password. Change `password` of the policy so that passwords follow them",
  ),
  3638: refused(
    "the account had the password before, and the server's password history rejects it. Use another password, or lower PASSWORD HISTORY and PASSWORD REUSE INTERVAL of the account",
  ),
  3891: refused("the account's current password is another one"),
  3892: refused(
    "the account must name its first password (PASSWORD REQUIRE CURRENT), which Keyturn does not know. Change it with an admin",
  ),
};

const driverCodes: Readonly<Record<string, Meaning>> = {
  HANDSHAKE_NO_SSL_SUPPORT: unavailable(
    "the server offers no TLS. Switch TLS on there, or set options.tls.mode to disable",
  ),
  AUTH_SWITCH_PLUGIN_ERROR: config("the account logs in with a method that Keyturn does not have"),
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED: config(
    "the server requests the password as it is, for another system that checks it. Keyturn cannot change such a password",
  ),
};

/** The result of a log-in that failed. `late` says that the time is over. */
export function toLoginVerdict(
  failure: Failure,
  where: string,
  late: string | undefined,
): "rejected" | Error {
  if (failure.errno === accessDenied || expired.has(failure.errno)) return "rejected";
  if (late !== undefined && failure.errno === undefined) return unavailable(late)(where);
  return explain(failure, where, loginAnswers, "the log-in failed");
}

/** The error for any failure of a query that changes nothing. */
export function toQueryError(failure: Failure, where: string): Error {
  if (lackOfRight.has(failure.errno)) {
    return refused("the authority lacks the right to read this")(numbered(failure, where));
  }
  return explain(failure, where, { ...loginAnswers, ...statementAnswers }, "the query failed");
}

/** The error for a failed statement. Without an answer of the server, it may have had an effect. */
export function toChangeError(failure: Failure, where: string): Error {
  const { errno } = failure;
  if (errno === undefined) {
    return unknown(
      "the connection was lost while the change was being made; either password may be valid",
    )(where);
  }
  const meaning = changeAnswers[errno] ?? refused("the server refuses the change");
  return meaning(numbered(failure, where));
}

/** The error for an account that the server lets in as another one, or without a check. */
export const toNoPasswordError: Meaning = noPassword;

function explain(
  failure: Failure,
  where: string,
  answers: Readonly<Record<number, Meaning>>,
  otherwise: string,
): Error {
  const { errno, code = "no answer" } = failure;
  if (errno !== undefined) {
    return (answers[errno] ?? unavailable(otherwise))(numbered(failure, where));
  }
  const sentence = explainCode(code, "options.tls.caFile") ?? "the connection was lost";
  return (driverCodes[code] ?? unavailable(sentence))(`${where}, ${code}`);
}

const numbered = ({ errno }: Failure, where: string): string => `${where}, error ${errno ?? "?"}`;
