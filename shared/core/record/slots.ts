import { isSameVersion, type Target, type VersionRef } from "../target.ts";
import type { SlotRecord, TargetRecord } from "./record.ts";

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
  const { account, current } = slot;
  return { account, current: ref, ...(current && { previous: current }), changedAt };
}

/** The slot after a failed rotation that may have set `ref`. An older version in doubt is kept too. */
export function abandon(slot: SlotRecord, ref: VersionRef): SlotRecord {
  const { abandoned } = slot;
  if (abandoned === undefined || isSameVersion(abandoned, ref)) return { ...slot, abandoned: ref };
  return { ...slot, previous: abandoned, abandoned: ref };
}

/** The stored credentials of an account without duplicates, the most likely to work first. */
export function listSlotCandidates(slot: SlotRecord, newest: VersionRef | undefined): VersionRef[] {
  const refs = [newest, slot.current, slot.previous, slot.abandoned];
  return refs
    .filter((ref) => ref !== undefined)
    .filter((ref, index, all) => all.findIndex((other) => isSameVersion(ref, other)) === index);
}
