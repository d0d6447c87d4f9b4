import type { AzureAccess } from "../../azure/azure-call.ts";
import { isAccepted } from "../../azure/azure-reply.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type AdminCalls, makeCalls } from "./azure-admin-calls.ts";
import { type Concern, entraOnly, toChangeError, toReadError } from "./azure-admin-errors.ts";
import { isReplica, readProperties } from "./azure-admin-properties.ts";
import { makeSdkCalls } from "./azure-admin-sdk.ts";
import { type AdminTarget, describeServer } from "./azure-admin-target.ts";

/** What Azure says about the server. */
export interface FoundServer {
  readonly administrator: string | undefined;
  readonly state: string | undefined;
  readonly isEntraOnly: boolean;
  /** It gets its accounts from another server, which has to be changed instead. */
  readonly isReplica: boolean;
}

/** Reads the server and changes nothing. An error about a missing right names the account. */
export async function readServer(
  access: AzureAccess,
  concern: Concern,
  signal: AbortSignal,
): Promise<FoundServer> {
  return read(callsFor(access, concern.target), concern, signal);
}

/** Sets a new password for the administrator of the server, and waits until Azure confirms it. */
export async function changeAdministrator(
  access: AzureAccess,
  target: AdminTarget,
  { account, secret }: Credential,
  signal: AbortSignal,
): Promise<void> {
  const concern = { target, account };
  const calls = callsFor(access, target);
  requireAdministrator(await read(calls, concern, signal), concern);
  const body = target.service.toChange(account, secret.reveal());
  const ending = await calls.change(body, signal);
  if (ending.is !== "done") throw toChangeError(ending, concern);
}

/** The official client makes the calls for which it was chosen first; it has no part in the others. */
function callsFor(access: AzureAccess, target: AdminTarget): AdminCalls {
  const make = target.service.type === "Microsoft.Sql/servers" ? makeSdkCalls : makeCalls;
  return make(access, target);
}

async function read(
  calls: AdminCalls,
  concern: Concern,
  signal: AbortSignal,
): Promise<FoundServer> {
  const { service } = concern.target;
  const reply = await calls.read(signal);
  if (reply.by !== "azure" || !isAccepted(reply)) throw toReadError(reply, concern);
  const properties = readProperties(reply.body);
  return {
    administrator: service.administrator(properties),
    state: service.state(properties),
    isReplica: isReplica(properties),
    isEntraOnly: service.isEntraOnly(properties) || (await isSwitchedOn(calls, concern, signal)),
  };
}

/** An identity without the right to read it finds out when Azure refuses the change. */
async function isSwitchedOn(
  calls: AdminCalls,
  concern: Concern,
  signal: AbortSignal,
): Promise<boolean> {
  const { entraSwitch } = concern.target.service;
  if (entraSwitch === undefined) return false;
  const reply = await calls.readSwitch(signal);
  if (reply.by === "azure" && [403, 404].includes(reply.status)) return false;
  if (reply.by !== "azure" || !isAccepted(reply)) throw toReadError(reply, concern);
  return entraSwitch.isOn(readProperties(reply.body));
}

/** Throws unless the account is the administrator of the server and logs in with a password. */
function requireAdministrator(found: FoundServer, { target, account }: Concern): void {
  const where = describeServer(target);
  if (found.isEntraOnly) throw entraOnly(target)(where);
  if (found.isReplica) throw new ConfigError(`${where}: ${replicaAdvice(target)}`);
  if (found.administrator === account) return;
  throw new ConfigError(
    `${where}: the administrator of the server is ${found.administrator ?? "not set"}, but the target names ${account}. Correct the account of the target`,
  );
}

export const replicaAdvice = ({ nameField }: AdminTarget): string =>
  `the server is a replica, which gets its accounts from its primary. Name the primary in options.${nameField}`;
