import type { AzureAccess } from "../../azure/azure-call.ts";
import { isPermitted } from "../../azure/azure-permissions.ts";
import { ChangeRefusedError, TargetUnavailableError } from "../../core/errors.ts";
import type { Examination, Right } from "../rotator.ts";
import { type Concern, findMissingRight } from "./azure-admin-errors.ts";
import { type FoundServer, readServer, replicaAdvice } from "./azure-admin-server.ts";
import { describeServer, toServerId } from "./azure-admin-target.ts";

/** Queries Azure with the identity of the app. It does not log in to the server, which would answer only the account itself. */
export async function examineServer(
  access: AzureAccess,
  concern: Concern,
  isProven: boolean,
  signal: AbortSignal,
): Promise<Examination> {
  const { target } = concern;
  const found = await readServer(access, concern, signal).catch((error: unknown) => {
    // An identity without the right to read cannot change either: that is a missing right, not a failed query.
    if (error instanceof ChangeRefusedError) return error;
    throw error;
  });
  if (found instanceof ChangeRefusedError) return withoutRight(found.message);
  if (found.state !== undefined && found.state !== "Ready") {
    throw new TargetUnavailableError(
      `${describeServer(target)}: the server is not ready; its state is ${found.state}`,
    );
  }
  const wrong = findWrong(found, concern);
  if (wrong !== undefined) {
    return { ...withoutRight(wrong), obstacles: found.isEntraOnly && !isProven ? [wrong] : [] };
  }
  const write = `${target.service.type}/write`;
  const may = await isPermitted(access, toServerId(target), write, signal);
  if (may === false) return withoutRight(findMissingRight(write, concern));
  return { obstacles: [], right: { is: may === undefined ? "likely" : "proven" } };
}

/** Why the password of the account cannot be changed at this server, whatever the identity may do. */
function findWrong(found: FoundServer, { target, account }: Concern): string | undefined {
  const server = describeServer(target);
  if (found.isEntraOnly) {
    return (
      `Account \`${account}\` cannot log in with a password: ${server} accepts only Microsoft Entra log-ins. ` +
      "Switch Entra-only authentication off, or remove the target."
    );
  }
  if (found.isReplica) {
    return `Account \`${account}\` cannot be changed: ${server}: ${replicaAdvice(target)}.`;
  }
  if (found.administrator === account) return undefined;
  const who = found.administrator ?? "nobody";
  return `Account \`${account}\` cannot be changed: the administrator of ${server} is \`${who}\`. Name that account in the target.`;
}

function withoutRight(why: string): Examination {
  const right: Right = { is: "missing", why };
  return { obstacles: [], right };
}
