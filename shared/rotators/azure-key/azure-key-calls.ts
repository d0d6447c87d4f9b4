import { setTimeout as wait } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import { type AzureAccess, type AzureRequest, callAzure } from "../../azure/azure-call.ts";
import { changeAtAzure } from "../../azure/azure-operation.ts";
import { isAccepted, type Reply } from "../../azure/azure-reply.ts";
import { ChangeRefusedError } from "../../core/errors.ts";
import { Secret } from "../../core/secrets/secret.ts";
import { second } from "../../core/time.ts";
import { toChangeError, toQueryError } from "./azure-key-errors.ts";
import { type KeyProperties, readProperties } from "./azure-key-properties.ts";
import type { RawKey } from "./azure-key-service.ts";
import { describeTarget, findKey, type KeyTarget } from "./azure-key-target.ts";

/** A resource in Azure Resource Manager, and the account that messages name. */
export interface KeyConcern {
  readonly access: AzureAccess;
  readonly target: KeyTarget;
  readonly account: string;
}

/** For tests with doubles on this machine. */
export interface KeySeams extends Pick<AzureAccess, "ca" | "pollInterval"> {
  /** The file with `ca`. */
  readonly caFile?: string;
}

/** Returns a function that names a resource and an account for the calls of this identity. */
export function concerns(credential: TokenCredential, { ca, pollInterval }: KeySeams) {
  return (target: KeyTarget, account: string): KeyConcern => {
    const access = {
      ...{ credential, origin: target.resourceManager },
      ...(ca !== undefined && { ca }),
      ...(pollInterval !== undefined && { pollInterval }),
    };
    return { access, target, account };
  };
}

/** One key, as the list has it. */
export interface ListedKey {
  readonly secret: Secret;
  /** RFC 3339. Absent: the list does not say. */
  readonly created?: string;
  /** See `RawKey.id`. Empty: the key has none. */
  readonly id: string;
}

export interface KeyList {
  /** By the names of the accounts. */
  readonly keys: ReadonlyMap<string, ListedKey>;
  /** The time of the service when it answered. Milliseconds since 1970. */
  readonly date: number | undefined;
}

const toPath = ({ resource, service }: KeyTarget, action = "") =>
  `${resource.id}${action === "" ? "" : `/${action}`}?api-version=${service.apiVersion}`;

/** Reads what says whether and where the keys work. */
export type ReadProperties = (concern: KeyConcern, signal: AbortSignal) => Promise<KeyProperties>;

export async function readResource(
  { access, target, account }: KeyConcern,
  signal: AbortSignal,
): Promise<KeyProperties> {
  const reply = await callAzure(access, { method: "GET", path: toPath(target) }, signal);
  if (reply.by === "azure" && isAccepted(reply)) return readProperties(reply);
  throw toQueryError(reply, "read", account, target);
}

export async function listKeys(
  { access, target, account }: KeyConcern,
  signal: AbortSignal,
): Promise<KeyList> {
  const path = toPath(target, target.service.list);
  const reply = await callAzure(access, { method: "POST", path }, signal);
  const list = readList(target, reply);
  if (list === undefined) throw toQueryError(reply, "list", account, target);
  return list;
}

/** The keys of the pair; undefined if the answer has none. */
function readList({ service, pair }: KeyTarget, reply: Reply): KeyList | undefined {
  if (reply.by !== "azure" || !isAccepted(reply)) return undefined;
  const found = service.readList(reply.body);
  const keys = pair.flatMap(({ name, listed }) => {
    const raw = found.get(listed);
    return raw === undefined || raw.value === "" ? [] : [[name, toListed(raw)] as const];
  });
  return keys.length > 0 ? { keys: new Map(keys), date: reply.headers.date } : undefined;
}

const toListed = ({ value, id = "", created }: RawKey): ListedKey => ({
  secret: new Secret(value),
  id,
  ...(created !== undefined && { created }),
});

/** The key of the account. Throws if the resource does not have it. */
export function requireKey({ keys }: KeyList, { target, account }: KeyConcern): ListedKey {
  const key = keys.get(account);
  if (key !== undefined) return key;
  throw new ChangeRefusedError(
    `${describeTarget(target)} has no key ${account}; it has ${[...keys.keys()].join(" and ")}`,
  );
}

/**
 * Regenerates the key, whose present value is `before`, with one request, and returns its new value. Throws OutcomeUnknownError while the
 * list still has the present one.
 */
export async function regenerate(
  concern: KeyConcern,
  before: ListedKey,
  isInTime: (() => boolean) | undefined,
  signal: AbortSignal,
): Promise<ListedKey> {
  const { access, target, account } = concern;
  const request = { ...toRequest(concern, before), ...(isInTime && { isInTime }) };
  const ending = await changeAtAzure(access, request, signal);
  if (ending.is === "failed" || ending.is === "not-accepted") {
    throw toChangeError(ending, account, target);
  }
  const told = ending.is === "done" ? readList(target, ending.reply)?.keys.get(account) : undefined;
  if (told !== undefined && !told.secret.equals(before.secret)) return told;
  const seen = await watchList(concern, before, signal);
  if (seen !== undefined) return seen;
  // Also an operation that has ended may reach the list later.
  throw toChangeError(ending.is === "done" ? { is: "unknown" } : ending, account, target);
}

function toRequest({ target, account }: KeyConcern, { secret, id }: ListedKey): AzureRequest {
  const key = findKey(target, account);
  if (key === undefined) throw new RangeError(`no key ${account}`);
  const { regenerate: action, toChange } = target.service;
  const { path = "", body } = toChange(key, { value: secret.reveal(), id });
  return { method: "POST", path: toPath(target, `${action}${path}`), ...(body && { body }) };
}

/** Reads the list until the key has another value. Undefined: it has not, or the time is over. */
async function watchList(
  concern: KeyConcern,
  before: ListedKey,
  signal: AbortSignal,
): Promise<ListedKey | undefined> {
  const { access, account } = concern;
  while (!signal.aborted) {
    const list = await listKeys(concern, signal).catch(() => undefined);
    const now = list?.keys.get(account);
    if (now !== undefined && !now.secret.equals(before.secret)) return now;
    await wait(access.pollInterval ?? 2 * second, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
