import type { Ending } from "../../azure/azure-operation.ts";
import type { AzureReply, Reply } from "../../azure/azure-reply.ts";
import { ChangeRefusedError } from "../../core/errors.ts";
import { explainCode } from "../common/connection/lost-line.ts";
import {
  config,
  type Meaning,
  refused,
  unavailable,
  unknown,
} from "../common/connection/meaning.ts";
import { type AdminTarget, describeServer, toServerId } from "./azure-admin-target.ts";

/** The account and the server that a sentence about a missing right names. */
export interface Concern {
  readonly target: AdminTarget;
  readonly account: string;
}

const notKnown = (sentence: string) => unknown(`${sentence}; either password may be valid`);

export const entraOnly = ({ nameField }: AdminTarget): Meaning =>
  config(
    "the server accepts only Microsoft Entra log-ins, so the administrator has no password to rotate. " +
      `Check options.${nameField}`,
  );

const notFound = ({ nameField }: AdminTarget): Meaning =>
  config(
    `the server does not exist. Check options.subscription, options.resourceGroup and options.${nameField}`,
  );

const noToken = unavailable("Azure refuses the token of the app's Azure identity");

/** Names the right that the Azure identity of the app lacks, and the command that grants it. */
export function findMissingRight(right: string, { target, account }: Concern): string {
  return (
    `Account \`${account}\` cannot be changed: the app's Azure identity lacks \`${right}\` on the server. Run: ` +
    `az role assignment create --role "${target.service.role}" --assignee-principal-type ServicePrincipal ` +
    `--assignee-object-id <object id of the identity> --scope ${toServerId(target)}.`
  );
}

const lacks = (operation: "read" | "write", concern: Concern, where: string) => {
  const right = `${concern.target.service.type}/${operation}`;
  return new ChangeRefusedError(`${where}: ${findMissingRight(right, concern)}`);
};

const notTaken = refused("the server refuses the change");

/** Codes with which Azure refuses a change, at once or when the started operation fails. */
const refusals: Readonly<Record<string, (target: AdminTarget) => Meaning>> = {
  AadOnlyAuthenticationIsEnabled: entraOnly,
  PasswordTooShort: () => refused("the secret is too short for the server"),
  PasswordTooLong: () => refused("the secret is too long for the server"),
  PasswordNotComplex: () => refused("the secret is not complex enough for the server"),
  ScopeLocked: () => refused("a lock on the server or its resource group forbids changes"),
  RequestDisallowedByPolicy: () => refused("an Azure policy forbids the change"),
};

function findRefusal(codes: readonly string[], target: AdminTarget): Meaning | undefined {
  const code = codes.find((one) => Object.hasOwn(refusals, one));
  return code === undefined ? undefined : refusals[code]?.(target);
}

/** The error for a query without a usable answer. */
export function toReadError(reply: Reply, concern: Concern): Error {
  const server = describeServer(concern.target);
  if (reply.by === "nobody") return unavailable(explainSilence(reply))(server);
  const where = `${server}, status ${reply.status}`;
  if (reply.by === "gateway") {
    return unavailable(
      "the answer to the query is not from Azure. Check the proxies and gateways between the app and Azure",
    )(where);
  }
  if (reply.status === 401) return noToken(where);
  if (reply.status === 403) return lacks("read", concern, where);
  if (reply.status === 404) return notFound(concern.target)(where);
  return unavailable("Azure did not answer the query")(where);
}

/** The error for a change that did not end well. */
export function toChangeError(ending: Exclude<Ending, { is: "done" }>, concern: Concern): Error {
  const server = describeServer(concern.target);
  const notLearnt = notKnown("Azure accepted the change; its result is unknown");
  switch (ending.is) {
    case "unknown":
      return notLearnt(server);
    case "failed":
      return (findRefusal(ending.codes, concern.target) ?? notLearnt)(server);
    case "not-accepted":
      return toRefusal(ending.reply, concern);
  }
}

function toRefusal(reply: Reply, concern: Concern): Error {
  const server = describeServer(concern.target);
  if (reply.by === "nobody") {
    const why = explainSilence(reply);
    return reply.sent
      ? notKnown(`${why} while the change was being sent`)(server)
      : unavailable(why)(server);
  }
  const where = `${server}, status ${reply.status}`;
  if (reply.by === "gateway") return notKnown("the answer to the change is not from Azure")(where);
  return toAnswerError(reply, concern, where);
}

/** The meaning of answers that refuse the change at once, by status. */
const changeAnswers: Readonly<Record<number, (target: AdminTarget) => Meaning>> = {
  401: () => noToken,
  404: notFound,
  // The other operation may be an earlier change of Keyturn whose result is unknown.
  409: () => unavailable("another operation on the server is under way"),
  429: () => unavailable("Azure accepts no more changes at the moment"),
};

function toAnswerError({ status, codes }: AzureReply, concern: Concern, where: string): Error {
  const { target } = concern;
  // A server that has a fault, or timed out the request, may still have accepted the change.
  if (status >= 500 || status === 408) {
    return notKnown("Azure failed when it received the change")(where);
  }
  const refusal = findRefusal(codes, target);
  if (refusal !== undefined) return refusal(where);
  if (status === 403) return lacks("write", concern, where);
  return (changeAnswers[status]?.(target) ?? notTaken)(where);
}

function explainSilence({ why, code = "" }: Extract<Reply, { by: "nobody" }>): string {
  if (why === "timed-out") return "timed out";
  if (why === "no-token") return "no token is available for the app's Azure identity";
  const sentence = explainCode(code);
  return sentence === undefined ? "the connection was lost" : `${sentence} (${code})`;
}
