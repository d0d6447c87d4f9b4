import type { Ending } from "../../azure/azure-operation.ts";
import type { Reply } from "../../azure/azure-reply.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OperationOpenError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { explainCode } from "../common/connection/lost-line.ts";
import { describeKey, describeTarget, type KeyTarget, toActions } from "./azure-key-target.ts";

/** Names the right that the Azure identity of the app lacks, and the command that grants it. */
export function explainMissingRight(action: string, account: string, target: KeyTarget): string {
  return (
    `Key \`${account}\` cannot be rotated: the app's Azure identity lacks \`${action}\` on the ${target.service.noun}. Run: ` +
    `az role assignment create --role "${target.service.role}" --assignee-principal-type ServicePrincipal ` +
    `--assignee-object-id <object id of the identity> --scope ${target.resource.id}`
  );
}

/** Why a service refuses all keys, and what to do. */
export function explainOff(account: string, target: KeyTarget): string {
  const { service, resource } = target;
  const command = service.switchOn.replace("ID", resource.id);
  return (
    `Key \`${account}\` is of no use: access keys are switched off for the ${service.noun} ${resource.names.join("/")}. ` +
    `If its consumers use Microsoft Entra, remove the target. Otherwise switch keys on: ${command}`
  );
}

type Asked = "read" | "list";

/** The error for a query without a usable answer. */
export function toQueryError(
  reply: Reply,
  asked: Asked,
  account: string,
  target: KeyTarget,
): Error {
  const resource = describeTarget(target);
  if (reply.by === "nobody") {
    const { host } = new URL(target.resourceManager);
    return new TargetUnavailableError(`${resource} at ${host}: ${explain(reply)}`);
  }
  const where = `${resource}, status ${reply.status}`;
  if (reply.by === "gateway") {
    return new TargetUnavailableError(
      `${where}: the answer to the query is not from Azure. Check the proxies and gateways between the app and Azure`,
    );
  }
  if (reply.status === 401) return new TargetUnavailableError(`${where}: ${noToken}`);
  if (reply.status === 403) {
    const action = toActions(target)[asked];
    return new ChangeRefusedError(`${where}: ${explainMissingRight(action, account, target)}`);
  }
  if (reply.status === 404) return new ConfigError(`${where}: ${notFound}`);
  return toRefusal(reply.codes, account, target, where) ?? unanswered(where);
}

const noToken = "Azure refuses the token of the app's Azure identity";
const notFound =
  "the resource does not exist, or was moved or deleted. Correct options.resource, or remove the target";
const unanswered = (where: string) =>
  new TargetUnavailableError(`${where}: Azure did not answer the query`);

/** Codes with a more exact meaning than their status. */
function toRefusal(
  codes: readonly string[],
  account: string,
  target: KeyTarget,
  where: string,
): Error | undefined {
  const meanings: Readonly<Record<string, () => string>> = {
    ScopeLocked: () =>
      "a read-only lock on the resource, its group or its subscription forbids to read and to regenerate keys",
    RequestDisallowedByPolicy: () => "an Azure policy forbids it",
    UnAuthorizedForCredentialOperations: () => explainOff(account, target),
    KeyBasedAuthenticationNotPermitted: () => explainOff(account, target),
  };
  const code = codes.find((one) => Object.hasOwn(meanings, one));
  const meaning = code === undefined ? undefined : meanings[code]?.();
  return meaning === undefined ? undefined : new ChangeRefusedError(`${where}: ${meaning}`);
}

const mayTakeEffect = "the key may have been regenerated, or still be";

/** The error for a regeneration that did not end well. */
export function toChangeError(
  ending: Exclude<Ending, { is: "done" }>,
  account: string,
  target: KeyTarget,
): Error {
  const key = describeKey(target, account);
  if (ending.is === "not-accepted") return toSendError(ending.reply, account, target);
  if (ending.is === "failed") {
    const [code = "no code"] = ending.codes;
    return new ChangeRefusedError(`${key}: Azure reports that the operation failed (${code})`);
  }
  const sentence = `${key}: Azure has begun to regenerate the key, and has not finished in time; ${mayTakeEffect}`;
  return ending.operation === undefined
    ? new OutcomeUnknownError(sentence)
    : new OperationOpenError(sentence, ending.operation);
}

function toSendError(reply: Reply, account: string, target: KeyTarget): Error {
  const key = describeKey(target, account);
  if (reply.by === "nobody") {
    return reply.sent
      ? new OutcomeUnknownError(
          `${key}: ${explain(reply)} while the request was under way; ${mayTakeEffect}`,
        )
      : new TargetUnavailableError(`${key}: ${explain(reply)}, so nothing was sent`);
  }
  const { status } = reply;
  const where = `${key}, status ${status}`;
  if (reply.by === "gateway") {
    return new OutcomeUnknownError(`${where}: the answer is not from Azure; ${mayTakeEffect}`);
  }
  if (status >= 500 || status === 408) {
    return new OutcomeUnknownError(
      `${where}: Azure failed when it received the request; ${mayTakeEffect}`,
    );
  }
  const refusal = toRefusal(reply.codes, account, target, where);
  if (refusal !== undefined) return refusal;
  if (status === 403) {
    const action = toActions(target).regenerate;
    return new ChangeRefusedError(`${where}: ${explainMissingRight(action, account, target)}`);
  }
  if (status === 404) return new ConfigError(`${where}: ${notFound}`);
  const busy = busyAnswers[status];
  if (busy !== undefined)
    return new TargetUnavailableError(`${where}: ${busy}; nothing was changed`);
  const [code = "no code"] = reply.codes;
  return new ChangeRefusedError(`${where}: Azure refuses to regenerate the key (${code})`);
}

/** Azure refused the request for now. */
const busyAnswers: Readonly<Record<number, string>> = {
  401: noToken,
  409: "another operation on the resource is under way",
  429: "Azure accepts no more requests at the moment",
};

function explain({ why, code = "" }: Extract<Reply, { by: "nobody" }>): string {
  if (why === "timed-out") return "timed out";
  if (why === "too-late") return "this worker was suspended, and the request is no longer in time";
  if (why === "no-token") return "no token is available for the app's Azure identity";
  const sentence = explainCode(code);
  return sentence === undefined ? "the connection was lost" : `${sentence} (${code})`;
}
