import { findLastChange } from "../record/due.ts";
import type { Exposure, Rotation, SlotRecord, TargetRecord } from "../record/record.ts";
import { mayHavePublished } from "../record/rotation.ts";
import { hasPreviousSecretOf, mayHaveSecretOf } from "../record/slots.ts";

/** Which secret of a target somebody saw. */
export interface Seen {
  /** The exposure to record. */
  readonly exposure: Exposure;
  /** Says which secret that is, if it is not the one that the journal knows as published. */
  readonly note?: string;
}

/** The report concerns no secret that can be used or changed now. */
interface Nothing {
  readonly nothing: string;
}

/** Finds the secret that a report concerns. `nothing` says why it concerns none that can be used or changed now. */
export function findSeen(record: TargetRecord, exposure: Exposure): Seen | Nothing {
  const { version } = exposure;
  return version !== undefined && record.published
    ? findByVersion(record, exposure, version)
    : findByMoment(record, exposure);
}

/** Finds the secret by its version, whenever it was seen. */
function findByVersion(record: TargetRecord, exposure: Exposure, version: string): Seen | Nothing {
  const { rotation, published, slots, active } = record;
  const seen = notBefore(exposure, findLastChange(record));
  if (version === published?.version) return { exposure: seen };
  if (rotation !== undefined && version === rotation.pending?.version) {
    const then = "request a rotation with cause exposure after that rotation has ended";
    return {
      nothing: `the reported version is the pending secret of rotation ${rotation.id}; ${then}`,
    };
  }
  const slot = slots.find((one) => mayHaveSecretOf(one, version));
  const isComing = mayHavePublished(rotation, version) || isPublishedAgain(rotation, version);
  if (!slot && rotation !== undefined && isComing) {
    const note = `the reported version may be the one that rotation ${rotation.id} publishes`;
    return { exposure: seen, note };
  }
  if (!slot) return findByKept(record, seen, version);
  return slot.account === active ? { exposure: seen } : findUnpublished(record, slot, seen);
}

function findByMoment(record: TargetRecord, exposure: Exposure): Seen | Nothing {
  const changedAt = findLastChange(record);
  if (changedAt === undefined || changedAt <= exposure.at) return { exposure };
  const kept = findKept(record)?.previous;
  if (kept) return describeKept(record, { ...exposure, at: changedAt, version: kept.version });
  const older = supersededAt(record, exposure.at);
  if (!older?.current)
    return { nothing: `the secret was changed after the exposure, at ${changedAt}` };
  return findUnpublished(record, older, {
    ...exposure,
    at: changedAt,
    version: older.current.version,
  });
}

/** The slot of the published account, if it has a superseded secret beside the published one. */
function findKept({ retirement, slots }: TargetRecord): SlotRecord | undefined {
  return retirement?.accountStays
    ? slots.find(({ account, previous }) => account === retirement.account && previous)
    : undefined;
}

function findByKept(record: TargetRecord, seen: Exposure, version: string): Seen | Nothing {
  const kept = findKept(record);
  return kept && hasPreviousSecretOf(kept, version)
    ? describeKept(record, seen)
    : { nothing: "the reported version is not in use" };
}

function describeKept({ retirement }: TargetRecord, exposure: Exposure): Seen {
  const { account = "", at = "" } = retirement ?? {};
  const note = `the exposed secret of ${account} is superseded, but its password works until Keyturn ends it at ${at}`;
  return { exposure, note };
}

/** Whether the rotation is an undo that publishes the secret of this version again. */
function isPublishedAgain(rotation: Rotation | undefined, version: string): boolean {
  return rotation?.given?.by === "undo" && rotation.given.ref.version === version;
}

/** The account of a pair that was published at that moment, is no longer published, and still works. */
function supersededAt({ slots, active }: TargetRecord, at: string): SlotRecord | undefined {
  return slots.find(
    ({ account, current, changedAt }) =>
      account !== active && current !== undefined && changedAt !== undefined && changedAt <= at,
  );
}

/** The exposure, but not before the last change: the change would otherwise count as its answer. */
function notBefore(exposure: Exposure, changedAt: string | undefined): Exposure {
  return changedAt !== undefined && changedAt > exposure.at
    ? { ...exposure, at: changedAt }
    : exposure;
}

function findUnpublished(
  { retirement }: TargetRecord,
  { account }: SlotRecord,
  exposure: Exposure,
): Seen {
  const end =
    retirement?.account === account
      ? `until Keyturn retires the account at ${retirement.at}, or changes it in the next rotation`
      : "until Keyturn changes it in the next rotation";
  return {
    exposure,
    note: `the exposed secret belongs to ${account}: ${account} is not published, but its password works ${end}`,
  };
}
