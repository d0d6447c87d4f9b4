import { listAddresses } from "../../core/target.ts";
import type { Path, Problem } from "../problems.ts";
import { vaultSchema } from "../schema/vaults.ts";
import { isRecord } from "../yaml/is-record.ts";
import { type Entries, type Entry, formatLocation } from "../yaml/merge.ts";
import {
  type CheckContext,
  findOrigin,
  listAccounts,
  resolveSecretName,
  type TargetDraft,
} from "./drafts.ts";

/** Something that only one entry may use, such as an account on a server. */
interface Holding {
  /** Several names of the same thing, such as the addresses of a replica set. */
  readonly keys: readonly string[];
  readonly entry: Entry;
  readonly path: Path;
  readonly message: (other: Entry) => string;
}

/** Finds what two targets must not share, because each would undo the changes of the other. */
export function checkShared(
  drafts: readonly TargetDraft[],
  entries: Entries,
  context: CheckContext,
): Problem[] {
  return [
    ...doubles([...entries.vaults.values()].flatMap(vaultAddress)),
    ...[...entries.vaults.values()].flatMap(checkPending),
    ...doubles(drafts.flatMap((draft) => publishedSecret(draft, context))),
    ...doubles(drafts.flatMap((draft) => accountsHeld(draft))),
    ...findCircles(drafts),
  ];
}

/** Targets that follow each other in a circle would rotate for ever. */
function findCircles(drafts: readonly TargetDraft[]): Problem[] {
  const leaders = new Map(drafts.map(({ entry, fields }) => [entry.id, fields.after]));
  return drafts.flatMap(({ entry }) => {
    const chain = [entry.id];
    let leader = leaders.get(entry.id);
    while (leader !== undefined && !chain.includes(leader)) {
      chain.push(leader);
      leader = leaders.get(leader);
    }
    if (leader !== entry.id) return [];
    const message = `must not lead back to the target itself, but does: ${[...chain, entry.id].join(" follows ")}`;
    return [entry.source.locate({ path: [...entry.path, "after"], message })];
  });
}

function doubles(holdings: readonly Holding[]): Problem[] {
  const first = new Map<string, Entry>();
  return holdings.flatMap(({ keys, entry, path, message }) => {
    const [other = entry] = keys.flatMap((key) => first.get(key) ?? []);
    for (const key of keys) first.set(key, first.get(key) ?? entry);
    return other === entry ? [] : [entry.source.locate({ path, message: message(other) })];
  });
}

function vaultAddress(entry: Entry): Holding[] {
  const { url } = vaultSchema.safeParse(entry.value).data ?? {};
  if (url === undefined) return [];
  const path = [...entry.path, "url"];
  const message = (other: Entry) =>
    `is also the address of ${describeEntry(other)}; configure each vault once`;
  return [{ keys: [url], entry, path, message }];
}

function checkPending(entry: Entry): Problem[] {
  const pending = isRecord(entry.value) ? entry.value["pending"] : undefined;
  if (pending !== entry.id) return [];
  const message =
    "names this vault itself, which is the default; remove pending, or name another vault";
  return [entry.source.locate({ path: [...entry.path, "pending"], message })];
}

function publishedSecret({ entry, fields }: TargetDraft, context: CheckContext): Holding[] {
  const place = resolveSecretName(fields.publish, context);
  if (place === undefined) return [];
  const isMapping = isRecord(fields.publish);
  return [
    {
      keys: [JSON.stringify([place.vault, place.name.toLowerCase()])],
      entry,
      path: [...entry.path, "publish", ...(isMapping ? ["secret"] : [])],
      message: (other) => `is already published by ${describeEntry(other)}; use another secret`,
    },
  ];
}

function accountsHeld(draft: TargetDraft): Holding[] {
  const { entry, rotator, options } = draft;
  if (rotator === undefined || options === undefined) return [];
  const endpoint = rotator.endpoint(options);
  const realm = rotator.accountRealm?.(options) ?? "";
  const holder = rotator.accountHolder?.(options);
  const holders =
    holder === undefined
      ? listAddresses(endpoint).map((address) => [endpoint.engine, address.toLowerCase(), realm])
      : [[endpoint.engine, holder.toLowerCase()]];
  return listAccounts(draft).map(({ name }, index) => ({
    keys: holders.map((one) => JSON.stringify([...one, name.toLowerCase()])),
    entry,
    path: [...entry.path, "accounts", index],
    message: (other) =>
      findOrigin(draft) === "people"
        ? `is already the account of ${describeEntry(other)}; give each value an account name of its own`
        : `is already rotated by ${describeEntry(other)}; an account can belong to one target only`,
  }));
}

function describeEntry(entry: Entry): string {
  const [section = ""] = entry.path;
  return `${section === "vaults" ? "vault" : "target"} ${entry.id} (${formatLocation(entry)})`;
}
