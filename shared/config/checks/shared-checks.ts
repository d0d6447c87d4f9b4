import type { Path, Problem } from "../problems.ts";
import { vaultSchema } from "../schema/vaults.ts";
import { isRecord } from "../yaml/is-record.ts";
import { type Entries, type Entry, whereabouts } from "../yaml/merge.ts";
import { type CheckContext, listAccounts, resolveSecretName, type TargetDraft } from "./drafts.ts";

/** Something that only one entry may have, such as an account on a server. */
interface Holding {
  readonly key: string;
  readonly entry: Entry;
  readonly path: Path;
  readonly message: (other: Entry) => string;
}

/** Finds what two targets must not share: each would undo what the other does. */
export function checkShared(
  drafts: readonly TargetDraft[],
  entries: Entries,
  surroundings: CheckContext,
): Problem[] {
  return [
    ...doubles([...entries.vaults.values()].flatMap(vaultAddress)),
    ...[...entries.vaults.values()].flatMap(checkPending),
    ...doubles(drafts.flatMap((draft) => publishedSecret(draft, surroundings))),
    ...doubles(drafts.flatMap((draft) => accountsHeld(draft))),
  ];
}

function doubles(holdings: readonly Holding[]): Problem[] {
  const first = new Map<string, Entry>();
  return holdings.flatMap(({ key, entry, path, message }) => {
    const other = first.get(key) ?? entry;
    first.set(key, other);
    return other === entry ? [] : [entry.source.locate({ path, message: message(other) })];
  });
}

function vaultAddress(entry: Entry): Holding[] {
  const { url } = vaultSchema.safeParse(entry.value).data ?? {};
  if (url === undefined) return [];
  const path = [...entry.path, "url"];
  const message = (other: Entry) =>
    `is the address of ${describeEntry(other)} as well; use one name for it`;
  return [{ key: url, entry, path, message }];
}

function checkPending(entry: Entry): Problem[] {
  const pending = isRecord(entry.value) ? entry.value["pending"] : undefined;
  if (pending !== entry.id) return [];
  const message =
    "is this very vault, where new secrets wait anyway; leave it out, or name another one";
  return [entry.source.locate({ path: [...entry.path, "pending"], message })];
}

function publishedSecret({ entry, fields }: TargetDraft, surroundings: CheckContext): Holding[] {
  const place = resolveSecretName(fields.publish, surroundings);
  if (place === undefined) return [];
  const isMapping = isRecord(fields.publish);
  return [
    {
      key: JSON.stringify([place.vault, place.name.toLowerCase()]),
      entry,
      path: [...entry.path, "publish", ...(isMapping ? ["secret"] : [])],
      message: (other) => `is the secret that ${describeEntry(other)} publishes as well`,
    },
  ];
}

function accountsHeld(draft: TargetDraft): Holding[] {
  const { entry, rotator, options } = draft;
  if (rotator === undefined || options === undefined) return [];
  const { engine, host, port } = rotator.endpoint(options);
  const realm = rotator.accountRealm?.(options) ?? "";
  return listAccounts(draft).map(({ name }, index) => ({
    key: JSON.stringify([engine, host.toLowerCase(), port, realm, name.toLowerCase()]),
    entry,
    path: [...entry.path, "accounts", index],
    message: (other) => `is the account that ${describeEntry(other)} changes as well`,
  }));
}

function describeEntry(entry: Entry): string {
  const [section = ""] = entry.path;
  return `${section === "vaults" ? "vault" : "target"} ${entry.id} (${whereabouts(entry)})`;
}
