import { withDueAt } from "../record/due.ts";
import { type Justification, storeJustification } from "../record/justification.ts";
import type { RotationRequest, TargetRecord } from "../record/record.ts";
import { findSlot, promote, withSlot } from "../record/slots.ts";
import { isSameVersion, type Target, type VersionRef } from "../target.ts";
import type { Instant } from "../time.ts";
import type { Refused } from "./given.ts";
import { joinRequest } from "./request.ts";

/** Who unblocks a target. */
export interface Unblocking extends Justification {
  readonly by: string;
}

const againWhy = "a person unblocked the target";

/** Why there is nothing to unblock. Undefined for a target whose rotation or adoption is blocked. */
export function findNotBlocked(record: TargetRecord, { id }: Target): Refused | undefined {
  const { rotation, adoptedAt, health } = record;
  const isBlocked =
    rotation?.phase === "blocked" || (adoptedAt === undefined && health === "blocked");
  return isBlocked ? undefined : { refused: `target ${id} is not blocked` };
}

/** The accounts of which the blocked rotation or adoption needs a secret that works. */
export function listBlocked({ rotation }: TargetRecord, { slots }: Target): readonly string[] {
  return rotation ? [rotation.account] : slots.map(({ account }) => account);
}

/** The record in which the blocked rotation, or the adoption, continues now. It tries the stored secrets before anything else. */
export function unblock(
  record: TargetRecord,
  { by, ...justification }: Unblocking,
  now: Instant,
): TargetRecord {
  if (record.rotation?.phase !== "blocked") return withDueAt(record, now, againWhy);
  const request: RotationRequest = {
    rotationId: record.rotation.id,
    reason: "operator",
    requestedBy: by,
    at: now,
    ...storeJustification(justification),
  };
  const waiting = record.request;
  const joined = joinRequest({ ...record, request }, now);
  return waiting ? { ...joined, request: waiting } : joined;
}

/** The record in which the account has the secret stored as `ref`, which has just logged in. */
export function withLive(
  record: TargetRecord,
  account: string,
  ref: VersionRef,
  now: Instant,
): TargetRecord {
  const { rotation } = record;
  const slots = withSlot(record.slots, promote(findSlot(record, account), ref, now));
  // The target has the pending secret, whatever the journal says.
  const isPending = rotation !== undefined && isSameVersion(rotation.pending, ref);
  return isPending
    ? { ...record, rotation: { ...rotation, changeBegan: true } }
    : { ...record, slots };
}
