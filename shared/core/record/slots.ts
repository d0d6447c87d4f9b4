import { isSameVersion, type Target, type VersionRef } from "../target.ts";
import type { SlotRecord, TargetRecord, Unsettled } from "./record.ts";

/** The account that the next rotation changes. Of a pair, it is the account that is not published. */
export function chooseAccount(target: Target, record: TargetRecord): string {
  const idle = target.slots.find((slot) => slot.account !== record.active) ?? target.slots[0];
  if (!idle) throw new RangeError(`target ${target.id} has no account`);
  return idle.account;
}

/** Whether, according to the journal, the last rotation wrote the published version and nothing has failed since. */
export function isOwnWork(record: TargetRecord): boolean {
  const { health, active, lastSuccessAt } = record;
  if (health !== "healthy" || active === undefined || lastSuccessAt === undefined) return false;
  return findSlot(record, active).changedAt === lastSuccessAt;
}

export function findSlot(record: Pick<TargetRecord, "slots">, account: string): SlotRecord {
  return record.slots.find((slot) => slot.account === account) ?? { account };
}

/** `slots` with the one of the same account replaced or added. */
export function withSlot(slots: readonly SlotRecord[], changed: SlotRecord): SlotRecord[] {
  return [...slots.filter((slot) => slot.account !== changed.account), changed];
}

/** How many slots a record keeps, including those of accounts that were removed from the configuration. */
const maxSlots = 10;

/**
 * The slots to keep: those of the configured accounts, the active one, and the latest others. An account that comes back to the
 * configuration finds its stored secrets.
 */
export function keepSlots(
  slots: readonly SlotRecord[],
  target: Target,
  active: string | undefined,
): readonly SlotRecord[] {
  if (slots.length <= maxSlots) return slots;
  const isNeeded = ({ account }: SlotRecord) =>
    account === active || target.slots.some((slot) => slot.account === account);
  const others = slots.filter((slot) => !isNeeded(slot));
  const room = Math.max(0, maxSlots - (slots.length - others.length));
  const latest = new Set(others.slice(others.length - Math.min(room, others.length)));
  return slots.filter((slot) => isNeeded(slot) || latest.has(slot));
}

/** The slot after `ref` was found to be the current secret of its account. */
export function promote(slot: SlotRecord, ref: VersionRef, changedAt: string): SlotRecord {
  if (isSameVersion(slot.current, ref)) return slot;
  const { account, unsettled, secretIds } = slot;
  return {
    ...{ account, current: ref, ...toPrevious(slot), changedAt },
    ...(unsettled && { unsettled }),
    ...(secretIds && { secretIds }),
  };
}

/** The slot while a request that replaces its secret may be under way. Undefined: none is. */
export function withUnsettled(slot: SlotRecord, unsettled: Unsettled | undefined): SlotRecord {
  const { unsettled: _, ...settled } = slot;
  return unsettled ? { ...settled, unsettled } : settled;
}

/** How many ids of secrets a slot keeps. */
const maxSecretIds = 50;

/** The slot whose account has another secret with one of these ids. */
export function withSecretIds(slot: SlotRecord, ids: readonly (string | undefined)[]): SlotRecord {
  const known = ids.filter((id) => id !== undefined);
  const all = [...new Set([...known, ...(slot.secretIds ?? [])])].slice(0, maxSecretIds);
  return all.length === 0 ? slot : { ...slot, secretIds: all };
}

/** The current version as the previous one, with the versions that have the same secret. Empty where there is none. */
export function toPrevious({
  current,
  sameAs,
}: SlotRecord): Pick<SlotRecord, "previous" | "previousSameAs"> {
  return current ? { previous: current, ...(sameAs && { previousSameAs: sameAs }) } : {};
}

/** How many versions with the same secret a slot keeps. */
const maxSame = 5;

/** The slot whose current version `ref` has the same secret as the version `same` of the slot before. */
export function withSame(slot: SlotRecord, before: SlotRecord, same: string): SlotRecord {
  const { current, previous, sameAs = [], previousSameAs = [] } = before;
  const known =
    same === current?.version ? sameAs : same === previous?.version ? previousSameAs : [];
  return { ...slot, sameAs: [same, ...known].slice(0, maxSame) };
}

/** Whether the account has, or may have, the secret of this version. */
export function mayHaveSecretOf(slot: SlotRecord, version: string): boolean {
  const refs = [slot.current, ...listAbandoned(slot)];
  return refs.some((one) => one?.version === version) || (slot.sameAs ?? []).includes(version);
}

/**
 * The slot after the published version `ref` was adopted. `before`: the version of the account that was published and proven directly
 * before it, which an undo publishes again. Without one there is no undo: it would go too far back.
 */
export function adoptPublished(
  slot: SlotRecord,
  { ref, createdAt }: { readonly ref: VersionRef; readonly createdAt: string },
  before: VersionRef | undefined,
): SlotRecord {
  const adopted = { ...slot, current: ref, changedAt: createdAt };
  if (isSameVersion(slot.current, ref)) return adopted;
  const { previous: _p, sameAs: _s, previousSameAs: _ps, ...rest } = adopted;
  if (!before || isSameVersion(before, ref)) return rest;
  return {
    ...rest,
    ...(isSameVersion(before, slot.current) ? toPrevious(slot) : { previous: before }),
  };
}

/** How many versions in doubt a slot keeps. */
const maxAbandoned = 5;

/** The slot after a failed rotation whose secret `ref` the account may have. The latest versions in doubt are kept, this one included. */
export function abandon(slot: SlotRecord, ref: VersionRef): SlotRecord {
  const { abandonedBefore: _, ...rest } = slot;
  const before = listAbandoned(slot).filter((one) => !isSameVersion(one, ref));
  const kept = before.slice(0, maxAbandoned - 1);
  return { ...rest, abandoned: ref, ...(kept.length > 0 && { abandonedBefore: kept }) };
}

/** Whether another version in doubt would push out the oldest one. */
export function isFullOfDoubt(slot: SlotRecord): boolean {
  return listAbandoned(slot).length >= maxAbandoned;
}

/** The pending versions of failed rotations whose secrets the account may have, newest first. */
export function listAbandoned({ abandoned, abandonedBefore = [] }: SlotRecord): VersionRef[] {
  return [...(abandoned ? [abandoned] : []), ...abandonedBefore];
}

/** Whether the previous secret of the account is the one of this version. */
export function hasPreviousSecretOf(slot: SlotRecord, version: string): boolean {
  const { previous, previousSameAs = [] } = slot;
  return previous?.version === version || previousSameAs.includes(version);
}

/** Every version that the slot names. */
export function listVersionsOf(slot: SlotRecord): VersionRef[] {
  return [slot.current, slot.previous, ...listAbandoned(slot)].filter((ref) => ref !== undefined);
}

/** The stored credentials of an account without duplicates, the most likely to work first. */
export function listSlotCandidates(slot: SlotRecord, newest: VersionRef | undefined): VersionRef[] {
  return [...(newest ? [newest] : []), ...listVersionsOf(slot)].filter(
    (ref, index, all) => all.findIndex((other) => isSameVersion(ref, other)) === index,
  );
}
