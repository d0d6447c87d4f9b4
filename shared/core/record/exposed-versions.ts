import type { Exposure, TargetRecord } from "./record.ts";
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
    return known.includes(version) ? [version] : [];
  }
  const own = active === undefined ? undefined : findSlot({ slots }, active).previous;
  const others = slots.filter(({ account }) => account !== active).map(({ current }) => current);
  const isOlder = changedAt !== undefined && changedAt > at;
  return (isOlder ? [own, ...others] : now).map((ref) => ref?.version);
}
