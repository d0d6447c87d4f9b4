import { sameVersion, type Target, type VersionRef } from "../target.ts";
import type { SlotRecord, TargetRecord } from "./rotation.ts";

/** The account whose turn it is: of a pair the one that is not published. */
export function accountToChange(target: Target, record: TargetRecord): string {
  const idle = target.slots.find((slot) => slot.account !== record.active) ?? target.slots[0];
  if (!idle) throw new RangeError(`target ${target.id} has no account`);
  return idle.account;
}

/** Whether the last rotation published what is published for all the journal knows, and nothing has failed since. */
export function isOwnWork(record: TargetRecord): boolean {
  const { health, active, lastSuccessAt } = record;
  if (health !== "healthy" || active === undefined || lastSuccessAt === undefined) return false;
  return findSlot(record, active).changedAt === lastSuccessAt;
}

export function findSlot(record: TargetRecord, account: string): SlotRecord {
  return record.slots.find((slot) => slot.account === account) ?? { account };
}

/** `slots` with the one of the same account replaced or added. */
export function withSlot(slots: readonly SlotRecord[], changed: SlotRecord): SlotRecord[] {
  return [...slots.filter((slot) => slot.account !== changed.account), changed];
}

/** Slots that a record keeps, those of accounts that left the configuration included. */
const mostSlots = 10;

/**
 * The slots to keep when the configuration names these accounts: theirs, the active one, and the latest of the others. An
 * account that comes back to the configuration finds what it has been given.
 */
export function keptSlots(
  slots: readonly SlotRecord[],
  target: Target,
  active: string | undefined,
): readonly SlotRecord[] {
  if (slots.length <= mostSlots) return slots;
  const isNeeded = ({ account }: SlotRecord) =>
    account === active || target.slots.some((slot) => slot.account === account);
  const others = slots.filter((slot) => !isNeeded(slot));
  const room = Math.max(0, mostSlots - (slots.length - others.length));
  const latest = new Set(others.slice(others.length - Math.min(room, others.length)));
  return slots.filter((slot) => isNeeded(slot) || latest.has(slot));
}

/** The slot after `ref` turned out to be what its account has now. */
export function promote(slot: SlotRecord, ref: VersionRef, changedAt: string): SlotRecord {
  if (sameVersion(slot.current, ref)) return slot;
  const { account, current } = slot;
  return { account, current: ref, ...(current && { previous: current }), changedAt };
}

/** The slot after a rotation was given up that may have given its account `ref`: any older doubt is kept too. */
export function abandon(slot: SlotRecord, ref: VersionRef): SlotRecord {
  const { abandoned } = slot;
  if (abandoned === undefined || sameVersion(abandoned, ref)) return { ...slot, abandoned: ref };
  return { ...slot, previous: abandoned, abandoned: ref };
}

/** The stored credentials of an account in the order in which they are likely to be live, without repeats. */
export function candidates(slot: SlotRecord, newest: VersionRef | undefined): VersionRef[] {
  const refs = [newest, slot.current, slot.previous, slot.abandoned];
  return refs
    .filter((ref) => ref !== undefined)
    .filter((ref, index, all) => all.findIndex((other) => sameVersion(ref, other)) === index);
}
