import { describeConnectionError } from "../connection/lost-line.ts";
import { blocked, config, type Meaning, unavailable } from "../connection/meaning.ts";

/** The answer of a server to a log-in or a statement: the numbers of all its errors, in order. */
export interface SqlFailure {
  /** Empty when the server did not answer. */
  readonly numbers: readonly number[];
  /** The server said that it accepts only Microsoft Entra log-ins. */
  readonly isEntraOnly?: boolean;
  /** The server ended the connection with its answer, so the outcome of the statement is uncertain. */
  readonly isFatal?: boolean;
  /** Why there was no answer. Its text may come from the server, so only `describeConnectionError` may read it. */
  readonly cause?: unknown;
}

const entraOnly = config(
  "the server accepts only Microsoft Entra log-ins, so an account has no password to rotate. " +
    "Check options.server or options.host",
);
const loginFailed = 18_456;

const busy = unavailable(
  "the server is too busy, or is being moved. If this lasts, reduce its load, or raise its service tier",
);
const full = unavailable(
  "all connections that the server or the database allows are in use. Close some, or raise the limit: on Azure with a higher service tier, " +
    "on SQL Server with sp_configure 'user connections'",
);
const unlicensed = unavailable(
  "the server has no license for another connection. Close some, or add licenses",
);
const replica = unavailable("the database is a replica that accepts no such connections");

/** Errors that say that the server or the database cannot work now. The same log-in or statement may succeed later. */
export const outages: Readonly<Record<number, Meaning>> = {
  615: busy,
  921: unavailable("the database is recovering"),
  922: unavailable("the database is recovering"),
  927: unavailable("the database is being restored"),
  942: unavailable("the database is offline"),
  976: replica,
  978: replica,
  983: replica,
  1205: unavailable("the statement conflicted with another transaction"),
  1222: unavailable("another change of the account is under way"),
  3906: unavailable("the database is read-only here, perhaps a replica"),
  4221: replica,
  6005: unavailable("the server is shutting down"),
  10_928: full,
  10_929: busy,
  10_930: busy,
  10_936: full,
  17_197: busy,
  17_300: full,
  17_803: busy,
  17_809: full,
  18_401: unavailable("the server is starting or being upgraded"),
  18_451: unavailable("only administrators may connect at the moment"),
  18_458: unlicensed,
  18_459: unlicensed,
  18_460: unlicensed,
  18_461: unavailable("the server is in single-user mode"),
  40_197: busy,
  40_501: busy,
  40_613: unavailable("the database is not available at the moment, or is waking up"),
  49_918: busy,
  49_919: busy,
  49_920: busy,
};

/**
 * Error numbers of a log-in that say nothing about the credential. When the server sends one of them with 18456, it is the more likely
 * reason: 18456 follows a database that cannot be opened.
 */
const loginAnswers: Readonly<Record<number, Meaning>> = {
  ...outages,
  916: config(
    "the account cannot open this database. Create a user for it there, or check options.database",
  ),
  4060: config(
    "the account cannot open this database. Create a user for it there, or check options.database",
  ),
  17_892: blocked("a log-on trigger of the server refuses the account"),
  18_470: blocked("the account is disabled; enable it with ALTER LOGIN … ENABLE"),
  18_486: blocked(
    "the account is locked after too many wrong passwords; unlock it with ALTER LOGIN … WITH CHECK_POLICY = OFF, and then the same with ON",
  ),
  18_487: blocked(
    "the password has expired. Set a new password, or switch the expiry off with ALTER LOGIN … WITH CHECK_EXPIRATION = OFF",
  ),
  18_488: blocked(
    "the owner must change the password first, because ALTER LOGIN … WITH PASSWORD … MUST_CHANGE was run",
  ),
  40_532: config(
    "the server does not accept this host name. Check options.host (of an administrator also options.server or options.name)",
  ),
  40_615: blocked(
    "the firewall of the server blocks the app; add the app's address with az sql server firewall-rule create",
  ),
  40_914: blocked(
    "the virtual network rules of the server block the app; add the app's subnet with az sql server vnet-rule create",
  ),
  47_073: blocked(
    "the server accepts no connections from the public network; set options.host to its private endpoint",
  ),
};

/** "rejected" if the server checked this credential and refused it. */
export function toLoginVerdict(failure: SqlFailure, where: string): "rejected" | Error {
  const { numbers } = failure;
  if (failure.isEntraOnly === true) return entraOnly(where);
  const known = findKnown(numbers, loginAnswers);
  if (known) return known(where);
  if (numbers.includes(loginFailed)) return "rejected";
  const [first] = numbers;
  if (first !== undefined) return unavailable("the query failed")(`${where}, error ${first}`);
  return unavailable(describeConnectionError(failure.cause, "options.tls.caFile"))(where);
}

/** The meaning of the first number that the table has, with the number in the message. */
export function findKnown(
  numbers: readonly number[],
  table: Readonly<Record<number, Meaning>>,
): Meaning | undefined {
  for (const number of numbers) {
    const meaning = table[number];
    if (meaning) return (where) => meaning(`${where}, error ${number}`);
  }
  return undefined;
}
