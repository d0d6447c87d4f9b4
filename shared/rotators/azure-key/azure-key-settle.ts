import { askOperation } from "../../azure/azure-operation.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { minute, second } from "../../core/time.ts";
import type { Settled, Settling } from "../rotator.ts";
import { type KeyConcern, type KeyList, listKeys, readResource } from "./azure-key-calls.ts";
import { findKey } from "./azure-key-target.ts";

/** What became of a regeneration whose answer was lost: according to its operation, or else to the time at which the key was created. */
export async function settleKey(
  concern: KeyConcern,
  {
    operation,
    sentAgo,
    superseded,
  }: Pick<Settling<unknown>, "operation" | "sentAgo" | "superseded">,
  signal: AbortSignal,
): Promise<Settled> {
  const { access } = concern;
  const ending =
    operation === undefined ? "running" : await askOperation(access, operation, signal);
  if (ending !== "running" && ending.is === "failed") return "without effect";
  const created = await findCreated(concern, signal);
  const list = await listKeys(concern, signal);
  const credential = toCredential(concern, list);
  if (credential === undefined) return "unknown";
  if (superseded?.secret.equals(credential.secret) === true) return "unknown";
  const time = created ?? list.keys.get(concern.account)?.created;
  const isShown = time === undefined ? isListed(ending, sentAgo) : isYounger(time, list, sentAgo);
  return isShown ? credential : "unknown";
}

/** Where the service says no times: whether the operation has ended, and a list is not older than that. */
const isListed = (ending: Awaited<ReturnType<typeof askOperation>>, sentAgo: number): boolean =>
  ending !== "running" && sentAgo >= listLagMs;

/** Milliseconds after which a list shows the keys as they are. */
const listLagMs = 5 * minute;

/** When the key was created, where the resource says so. It is read before the list, whose key is that one or a later one. */
async function findCreated(concern: KeyConcern, signal: AbortSignal): Promise<string | undefined> {
  const { target, account } = concern;
  const key = findKey(target, account);
  if (target.service.findCreated === undefined || key === undefined) return undefined;
  return target.service.findCreated(await readResource(concern, signal), key);
}

/** Both times are those of the service. Its header has whole seconds, so the key may be a second older. */
function isYounger(created: string, { date }: KeyList, sentAgo: number): boolean {
  const time = Date.parse(created);
  return date !== undefined && Number.isFinite(time) && date - time + second < sentAgo;
}

/** The present key of the account. */
function toCredential({ account }: KeyConcern, { keys }: KeyList): Credential | undefined {
  const key = keys.get(account);
  if (key === undefined) return undefined;
  const { secret, id } = key;
  return { account, secret, ...(id !== "" && { secretId: id }) };
}
