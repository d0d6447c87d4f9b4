import { TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Retire } from "../rotator.ts";
import {
  type KeyConcern,
  type ReadProperties,
  readResource,
  regenerate,
  requireKey,
} from "./azure-key-calls.ts";
import { listPublished } from "./azure-key-looks.ts";
import { requireUnpublished } from "./azure-key-published.ts";
import { describeKey } from "./azure-key-target.ts";
import { type Calling, isStillAccepted } from "./azure-key-verify.ts";

/**
 * Lets Azure create the key of the account anew; nobody reads it. It does so only after a list that shows the published key, because an
 * older one may still show a key of this account from before, or not yet the key that consumers read. If the list has another key than the
 * superseded one, that one has ended already, unless the service says otherwise.
 */
export async function retireKey(
  concern: KeyConcern,
  {
    publishedText,
    superseded,
    isInTime,
  }: Pick<Retire<unknown>, "publishedText" | "superseded" | "isInTime">,
  calling: Calling,
  read: ReadProperties = readResource,
): Promise<void> {
  const { signal } = calling;
  const { target, account } = concern;
  const { list, isShown } = await listPublished(concern, publishedText, signal);
  const before = requireKey(list, concern);
  const key = describeKey(target, account);
  requireUnpublished(before.secret, publishedText, key);
  if (publishedText && !isShown) {
    throw new TargetUnavailableError(
      `${key}: Azure does not list the key that consumers read, so its list may be old. Nothing was sent`,
    );
  }
  if (superseded?.secret.equals(before.secret) === false) {
    await requireRefused(concern, { superseded, date: list.date }, calling, read);
    return;
  }
  await regenerate(concern, before, isInTime, signal);
}

/** Throws while the service accepts the superseded key, although the list has another one. */
async function requireRefused(
  concern: KeyConcern,
  { superseded, date }: { readonly superseded: Credential; readonly date: number | undefined },
  calling: Calling,
  read: ReadProperties,
): Promise<void> {
  const { secret, secretId: id = "" } = superseded;
  if (!(await isStillAccepted(concern, { key: { secret, id }, date }, calling, read))) return;
  throw new TargetUnavailableError(
    `${describeKey(concern.target, concern.account)}: Azure lists another key than the superseded one, which the service still accepts. ` +
      "Keyturn checks again later. If it stays so, regenerate the key by hand",
  );
}
