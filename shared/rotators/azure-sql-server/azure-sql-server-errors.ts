import { ChangeRefusedError, OutcomeUnknownError } from "../../core/errors.ts";
import { describeConnectionError } from "../common/connection/lost-line.ts";
import { config, type Meaning, refused, unavailable } from "../common/connection/meaning.ts";
import { type AzureSqlServerOptions, toServerId } from "./azure-sql-server-options.ts";

const toUnknown = (sentence: string) => (where: string) =>
  new OutcomeUnknownError(`${where}: ${sentence}; either password may be valid`);

export const entraOnly = config(
  "the server accepts only Microsoft Entra log-ins, so the administrator has no password to rotate. " +
    "Check options.server",
);

const notFound = config(
  "the server does not exist. Check options.subscription, options.resourceGroup and options.server",
);
const noToken = unavailable("Azure refuses the token of the app's Azure identity");

/** The account and the server that a sentence about a missing right names. */
export interface Concern {
  readonly where: string;
  readonly account: string;
  readonly options: AzureSqlServerOptions;
}

/** Names the right that the Azure identity of the app lacks, and the command that grants it. */
export function findMissingRight(
  right: string,
  options: AzureSqlServerOptions,
  account: string,
): string {
  return (
    `Account \`${account}\` cannot be changed: the app's Azure identity lacks \`${right}\` on the server. Run: ` +
    'az role assignment create --role "SQL Server Contributor" --assignee-principal-type ServicePrincipal ' +
    `--assignee-object-id <object id of the identity> --scope ${toServerId(options)}.`
  );
}

const lacks = (right: string, { where, account, options }: Concern, status: number) =>
  new ChangeRefusedError(
    `${where}, status ${status}: ${findMissingRight(right, options, account)}`,
  );

const notTaken = refused("the server refuses the change");
const outOfOrder = toUnknown("Azure failed when it received the change");
const notLearnt = toUnknown("Azure accepted the change; its result is unknown");

/** The meaning of answers to a query, by status. */
const readAnswers: Readonly<Record<number, Meaning>> = {
  401: noToken,
  404: notFound,
};

/** Codes with which Azure refuses a change, at once or when the started operation fails. */
const refusals: Readonly<Record<string, Meaning>> = {
  AadOnlyAuthenticationIsEnabled: entraOnly,
  PasswordTooShort: refused("the secret is too short for the server"),
  PasswordTooLong: refused("the secret is too long for the server"),
  PasswordNotComplex: refused("the secret is not complex enough for the server"),
  ScopeLocked: refused("a lock on the server or its resource group forbids changes"),
  RequestDisallowedByPolicy: refused("an Azure policy forbids the change"),
};

/** The meaning of answers that refuse the change at once, by status. */
const changeAnswers: Readonly<Record<number, Meaning>> = {
  400: notTaken,
  401: noToken,
  404: notFound,
  // The other operation may be an earlier change of Keyturn whose result is unknown.
  409: unavailable("another operation on the server is under way"),
  429: unavailable("Azure accepts no more changes at the moment"),
};

/** What is known about the one request that changes something. */
export interface Sent {
  /** It may have left this machine. */
  patch: boolean;
  /** The status of the answer to it. */
  status: number | undefined;
}

function field(error: unknown, name: string): unknown {
  return error instanceof Error ? Reflect.get(error, name) : undefined;
}

/**
 * The HTTP status of Azure's answer; undefined when there was none. The check is by name, because the driver has a class of its
 * own. The text and `request` of such an error contain the secret and the token.
 */
export function findStatus(error: unknown): number | undefined {
  const status = field(error, "statusCode");
  return field(error, "name") === "RestError" && typeof status === "number" ? status : undefined;
}

/**
 * Whether Azure Resource Manager itself answered: its errors have a code such as ResourceNotFound. The answer of a gateway or a
 * proxy on the way says nothing about the server.
 */
export function isAzuresAnswer(error: unknown): boolean {
  const code = field(error, "code");
  return findStatus(error) !== undefined && typeof code === "string" && code !== "PARSE_ERROR";
}

/** The driver gives the code of a failed operation only inside a sentence. */
const operationFailed = /^The long-running operation has failed\. (\w+)\./;

function refusalIn(error: unknown): Meaning | undefined {
  const message = error instanceof Error ? error.message : "";
  const code = field(error, "code") ?? operationFailed.exec(message)?.[1];
  return typeof code === "string" && Object.hasOwn(refusals, code) ? refusals[code] : undefined;
}

/** The error for any failure before the change was sent. */
export function readError(error: unknown, concern: Concern): Error {
  const { where } = concern;
  const status = findStatus(error);
  if (status === undefined) return unavailable(withoutAnswer(error))(where);
  if (!isAzuresAnswer(error)) {
    return unavailable(
      "the answer to the query is not from Azure. Check the proxies and gateways between the app and Azure",
    )(`${where}, status ${status}`);
  }
  if (status === 403) return lacks("Microsoft.Sql/servers/read", concern, status);
  const meaning = readAnswers[status] ?? unavailable("Azure did not answer the query");
  return meaning(`${where}, status ${status}`);
}

/** The error for any failure during the change. */
export function toChangeError(error: unknown, sent: Sent, concern: Concern): Error {
  if (!sent.patch) return readError(error, concern);
  const { where } = concern;
  const { status } = sent;
  const refusal = refusalIn(error);
  if (status === undefined) {
    return toUnknown(`${withoutAnswer(error)} while the change was being sent`)(where);
  }
  if (status < 400) return (refusal ?? notLearnt)(where);
  if (!isAzuresAnswer(error)) {
    return toUnknown("the answer to the change is not from Azure")(`${where}, status ${status}`);
  }
  if (status === 403 && refusal === undefined) {
    return lacks("Microsoft.Sql/servers/write", concern, status);
  }
  // A server that has a fault, or timed out the request, may still have accepted the change.
  const isNo = status < 500 && status !== 408;
  const meaning = isNo ? (refusal ?? changeAnswers[status] ?? notTaken) : outOfOrder;
  return meaning(`${where}, status ${status}`);
}

function withoutAnswer(error: unknown): string {
  const name = field(error, "name");
  if (name === "AbortError") return "timed out";
  const isToken = typeof name === "string" && /^(?:Credential|.*Authentication)/.test(name);
  return isToken
    ? "no token is available for the app's Azure identity"
    : describeConnectionError(error);
}
