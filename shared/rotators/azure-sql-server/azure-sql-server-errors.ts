import {
  AccountBlockedError,
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { describeConnectionError } from "../connection/lost-line.ts";
import { type AzureSqlServerOptions, serverId } from "./azure-sql-server-options.ts";

type Meaning = (where: string) => Error;

const unavailable = (sentence: string) => (where: string) =>
  new TargetUnavailableError(`${where}: ${sentence}`);
const toBlocked = (sentence: string) => (where: string) =>
  new AccountBlockedError(`${where}: ${sentence}`);
const toChangeRefused = (sentence: string) => (where: string) =>
  new ChangeRefusedError(`${where}: ${sentence}`);
const config = (sentence: string) => (where: string) => new ConfigError(`${where}: ${sentence}`);

const toUnknown = (sentence: string) => (where: string) =>
  new OutcomeUnknownError(`${where}: ${sentence}; either password may be valid`);

export const entraOnly = config(
  "the server takes only Microsoft Entra log-ins, so its administrator has no password that could be rotated; " +
    "see options.server",
);

const notFound = config(
  "there is no such server; see options.subscription, options.resourceGroup and options.server",
);
const noToken = unavailable("Azure does not take the token of our identity");

/** Whose password it is about, and where: what a sentence about a missing right names. */
export interface Concern {
  readonly where: string;
  readonly account: string;
  readonly options: AzureSqlServerOptions;
}

/** That our identity may not do this, and the command that permits it. */
export function findMissingRight(
  right: string,
  options: AzureSqlServerOptions,
  account: string,
): string {
  return (
    `Account \`${account}\` can't be changed: the app's Azure identity lacks \`${right}\` on the server. Run: ` +
    'az role assignment create --role "SQL Server Contributor" --assignee-principal-type ServicePrincipal ' +
    `--assignee-object-id <object id of the identity> --scope ${serverId(options)}.`
  );
}

const lacks = (right: string, { where, account, options }: Concern, status: number) =>
  new ChangeRefusedError(
    `${where}, status ${status}: ${findMissingRight(right, options, account)}`,
  );

const notTaken = toChangeRefused("it does not take the change");
const outOfOrder = toUnknown("Azure had a fault when it was given the change");
const notLearnt = toUnknown("Azure took the change on, and how it ended was not to be learnt");

/** Answers to a question, by status. */
const readAnswers: Readonly<Record<number, Meaning>> = {
  401: noToken,
  404: notFound,
};

/** Codes with which Azure refuses a change, be it at once or when the operation it became has failed. */
const refusals: Readonly<Record<string, Meaning>> = {
  AadOnlyAuthenticationIsEnabled: entraOnly,
  PasswordTooShort: toChangeRefused("the secret is too short for it"),
  PasswordTooLong: toChangeRefused("the secret is too long for it"),
  PasswordNotComplex: toChangeRefused("the secret is not complex enough for it"),
  ScopeLocked: toChangeRefused("a lock on the server or its resource group forbids changes"),
  RequestDisallowedByPolicy: toChangeRefused("an Azure policy forbids the change"),
};

/** Answers to the change that came instead of taking it on, by status. */
const changeAnswers: Readonly<Record<number, Meaning>> = {
  400: notTaken,
  401: noToken,
  404: notFound,
  // Perhaps our own change, of which we have lost sight.
  409: unavailable("another operation on the server is under way"),
  429: unavailable("Azure takes no more changes at the moment"),
};

/** What became of the one request that changes something. */
export interface Sent {
  /** It may have left this machine. */
  patch: boolean;
  /** Of the answer to it. */
  status: number | undefined;
}

function field(error: unknown, name: string): unknown {
  return error instanceof Error ? Reflect.get(error, name) : undefined;
}

/**
 * HTTP status of Azure's answer; undefined when there was none. By name, because the driver brings a class of its
 * own along. Text and `request` of such an error hold the secret and the token.
 */
export function findStatus(error: unknown): number | undefined {
  const status = field(error, "statusCode");
  return field(error, "name") === "RestError" && typeof status === "number" ? status : undefined;
}

/**
 * Whether Azure Resource Manager itself answered: its errors come with a code such as ResourceNotFound. A gateway or a proxy
 * on the way answers as it likes, and that says nothing about the server.
 */
export function isAzuresAnswer(error: unknown): boolean {
  const code = field(error, "code");
  return findStatus(error) !== undefined && typeof code === "string" && code !== "PARSE_ERROR";
}

/** Of an operation that failed, the driver tells the code in a sentence only. */
const operationFailed = /^The long-running operation has failed\. (\w+)\./;

function refusalIn(error: unknown): Meaning | undefined {
  const message = error instanceof Error ? error.message : "";
  const code = field(error, "code") ?? operationFailed.exec(message)?.[1];
  return typeof code === "string" && Object.hasOwn(refusals, code) ? refusals[code] : undefined;
}

/** For whatever fails before the change was sent. */
export function readError(error: unknown, concern: Concern): Error {
  const { where } = concern;
  const status = findStatus(error);
  if (status === undefined) return unavailable(withoutAnswer(error))(where);
  if (!isAzuresAnswer(error)) {
    return unavailable("something other than Azure answered the question")(
      `${where}, status ${status}`,
    );
  }
  if (status === 403) return lacks("Microsoft.Sql/servers/read", concern, status);
  const meaning = readAnswers[status] ?? unavailable("Azure did not answer the question");
  return meaning(`${where}, status ${status}`);
}

/** For whatever fails while the change is being made. */
export function changeError(error: unknown, sent: Sent, concern: Concern): Error {
  if (!sent.patch) return readError(error, concern);
  const { where } = concern;
  const { status } = sent;
  const refusal = refusalIn(error);
  if (status === undefined) {
    return toUnknown(`${withoutAnswer(error)} while the change was being sent`)(where);
  }
  if (status < 400) return (refusal ?? notLearnt)(where);
  if (!isAzuresAnswer(error)) {
    return toUnknown("something other than Azure answered the change")(
      `${where}, status ${status}`,
    );
  }
  if (status === 403 && refusal === undefined) {
    return lacks("Microsoft.Sql/servers/write", concern, status);
  }
  // A server that is in trouble, or thinks that we were too slow, may have taken it on all the same.
  const isNo = status < 500 && status !== 408;
  const meaning = isNo ? (refusal ?? changeAnswers[status] ?? notTaken) : outOfOrder;
  return meaning(`${where}, status ${status}`);
}

function withoutAnswer(error: unknown): string {
  const name = field(error, "name");
  if (name === "AbortError") return "no answer in the time there was";
  const isToken = typeof name === "string" && /^(?:Credential|.*Authentication)/.test(name);
  return isToken ? "no token was to be had for our Azure identity" : describeConnectionError(error);
}

/** What a log-in came to: the numbers of all errors that the server sent, and whether it spoke of Entra. */
export interface LoginErrors {
  readonly numbers: readonly number[];
  readonly entraOnly: boolean;
}

const loginFailed = 18_456;
const busy = unavailable("it is too busy, or being moved");

/**
 * Numbers that say nothing about the credential, likelier than 18456 to be the reason when both are sent: a database
 * that cannot be opened is followed by it.
 */
const loginAnswers: Readonly<Record<number, Meaning>> = {
  4060: config("the account cannot open this database; see options.database"),
  10_928: busy,
  10_929: busy,
  18_470: toBlocked("the account is disabled; enable it with ALTER LOGIN … ENABLE"),
  18_486: toBlocked(
    "the account is locked after too many wrong passwords; unlock it with ALTER LOGIN … UNLOCK",
  ),
  18_487: toBlocked("the password has expired; see ALTER LOGIN … CHECK_EXPIRATION"),
  18_488: toBlocked(
    "the password must be changed by its owner first; see ALTER LOGIN … MUST_CHANGE",
  ),
  40_197: busy,
  40_501: busy,
  40_532: config(
    "this server does not know itself by that name; see options.server and options.host",
  ),
  40_613: unavailable("the database is not available at the moment"),
  40_615: toBlocked(
    "its firewall does not let us in; add our address with az sql server firewall-rule create",
  ),
  40_914: toBlocked(
    "its virtual network rules do not let us in; add our subnet with az sql server vnet-rule create",
  ),
  47_073: toBlocked(
    "it does not take connections from the public network; give options.host its private endpoint",
  ),
};

/** "rejected" if the server looked at this very credential and refused it. */
export function loginVerdict(
  errors: LoginErrors,
  error: unknown,
  where: string,
): "rejected" | Error {
  const { numbers } = errors;
  if (errors.entraOnly) return entraOnly(where);
  const telling = numbers.find((number) => loginAnswers[number] !== undefined);
  const meaning = telling === undefined ? undefined : loginAnswers[telling];
  if (meaning) return meaning(`${where}, error ${String(telling)}`);
  if (numbers.includes(loginFailed)) return "rejected";
  const [first] = numbers;
  if (first !== undefined) return unavailable("it could not be asked")(`${where}, error ${first}`);
  return unavailable(describeConnectionError(error, "options.tls.caFile"))(where);
}
