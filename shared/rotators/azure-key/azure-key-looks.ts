import { setTimeout as wait } from "node:timers/promises";
import type { Secret } from "../../core/secrets/secret.ts";
import { second } from "../../core/time.ts";
import type { Ownerless } from "../rotator.ts";
import { type KeyConcern, type KeyList, listKeys } from "./azure-key-calls.ts";
import { isPublished } from "./azure-key-published.ts";
import { orUnavailable } from "./azure-key-verify.ts";

/** One list may be old, so what it does not show counts after so many. */
const mostLooks = 3;

/** Reads the list until it shows what is wanted. Returns the last list, and whether it shows that. */
async function look(
  concern: KeyConcern,
  isShown: (list: KeyList) => boolean,
  signal: AbortSignal,
): Promise<{ readonly list: KeyList; readonly isShown: boolean }> {
  for (let looks = 1; ; looks++) {
    const list = await listKeys(concern, signal);
    if (isShown(list)) return { list, isShown: true };
    if (looks === mostLooks || signal.aborted) return { list, isShown: false };
    const pause = concern.access.pollInterval ?? 2 * second;
    await wait(pause, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * The keys, and whether one of them is published. If so, the list is not older than that key. If not, it is old, or consumers read
 * something else.
 */
export async function listPublished(
  concern: KeyConcern,
  publishedText: Secret | undefined,
  signal: AbortSignal,
): Promise<{ readonly list: KeyList; readonly isShown: boolean }> {
  // Without a published text, no list could show more than the first.
  if (!publishedText) return { list: await listKeys(concern, signal), isShown: false };
  return look(
    concern,
    ({ keys }) => [...keys.values()].some(({ secret }) => isPublished(secret, publishedText)),
    signal,
  );
}

/** The account whose key the secret is, as `Rotator.findOwner`. */
export async function findKeyOwner(
  concern: KeyConcern,
  { secret, accounts }: Pick<Ownerless<unknown>, "secret" | "accounts">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const findIn = ({ keys }: KeyList) =>
    accounts.find((account) => keys.get(account)?.secret.equals(secret) === true);
  const { list } = await orUnavailable(look(concern, (one) => findIn(one) !== undefined, signal));
  return findIn(list);
}
