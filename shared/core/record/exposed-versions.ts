import type { Instant } from "../time.ts";
import { findLastSeen } from "./due.ts";
import type { Exposure, RotationRequest, SlotRecord, TargetRecord } from "./record.ts";
import { findSlot, listVersionsOf } from "./slots.ts";

/** Limits the size of the record. */
const maxVersions = 10;

/** The record that remembers these versions as seen. The same object when it knows all of them. */
export function withExposedVersions(
  record: TargetRecord,
  versions: readonly (string | undefined)[],
): TargetRecord {
  const known = record.exposedVersions ?? [];
  const added = versions.filter((one) => one !== undefined).filter((one) => !known.includes(one));
  if (added.length === 0) return record;
  const exposedVersions = [...known, ...new Set(added)].slice(-maxVersions);
  return { ...record, exposedVersions };
}

/** A request with the reason `exposure` says that somebody saw the present secret, whether its rotation succeeds or not. */
export function withExposedSecret(
  record: TargetRecord,
  { reason }: Pick<RotationRequest, "reason">,
): TargetRecord {
  const { published, rotation } = record;
  if (reason !== "exposure") return record;
  return withExposedVersions(record, [published?.version, rotation?.published?.version]);
}

/**
 * The record after the published version was adopted that somebody else wrote. A report without a version, or a request with the reason
 * `exposure`, may concern it if it came after the version was written.
 */
export function withExposedAdopted(
  record: TargetRecord,
  { version, createdAt }: { readonly version: string; readonly createdAt: Instant },
): TargetRecord {
  const { exposure, request, rotation, again } = record;
  const reported = exposure?.version === undefined && exposure ? [findLastSeen(exposure)] : [];
  const requested = [request && { ...request, requestedAt: request.at }, rotation, again].map(
    (one) => (one?.reason === "exposure" ? one.requestedAt : undefined),
  );
  const isSeen = [...reported, ...requested].some((at) => at !== undefined && at >= createdAt);
  return isSeen ? withExposedVersions(record, [version]) : record;
}

/** The record that also remembers the versions whose secret was seen in another version. */
export function withExposedCopies(record: TargetRecord): TargetRecord {
  const { slots, exposedVersions = [] } = record;
  return withExposedVersions(
    record,
    slots.flatMap((slot) => listWithCopyIn(slot, exposedVersions)),
  );
}

/** The versions of the slot whose secret one of these versions has, too. */
function listWithCopyIn(
  { current, sameAs = [], previous, previousSameAs = [] }: SlotRecord,
  versions: readonly string[],
): (string | undefined)[] {
  const isCopied = (copies: readonly string[]) => copies.some((one) => versions.includes(one));
  return [
    ...(isCopied(sameAs) ? [current?.version] : []),
    ...(isCopied(previousSameAs) ? [previous?.version] : []),
  ];
}

/**
 * The versions that a report may concern. A report without a version may concern the published secret and the one that a rotation is
 * publishing or, from before the last change, the ones before them. Versions that the record does not know could displace others, so they do not count.
 */
export function listSeen(
  { published, rotation, given, slots, active }: TargetRecord,
  { version, at }: Pick<Exposure, "version" | "at">,
  changedAt: string | undefined,
): (string | undefined)[] {
  const now = [published, rotation?.published];
  if (version !== undefined) {
    const pending = [rotation?.pending, rotation?.given?.ref, given?.secret.ref];
    const known = [...now, ...slots.flatMap(listVersionsOf), ...pending].map((ref) => ref?.version);
    const copies = slots.flatMap((slot) => listWithCopyIn(slot, [version]));
    return known.includes(version) || copies.length > 0 ? [version, ...copies] : [];
  }
  const own = active === undefined ? undefined : findSlot({ slots }, active).previous;
  const others = slots.filter(({ account }) => account !== active).map(({ current }) => current);
  const isOlder = changedAt !== undefined && changedAt > at;
  return (isOlder ? [own, ...others] : now).map((ref) => ref?.version);
}
