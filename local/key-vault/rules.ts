import type { BackedUpVersion, Backup } from "./backup.ts";
import type { CreateBody, UpdateBody } from "./emulator-limits.ts";
import {
  type Change,
  findCurrentVersion,
  findEntry,
  findVersion,
  type SecretEntry,
  type SecretVersion,
  type VaultState,
} from "./state.ts";
import {
  deletedSecretNotFound,
  inTransition,
  nameIsTaken,
  restoreConflict,
  secretDisabled,
  secretNotFound,
  VaultError,
} from "./vault-error.ts";

/** The settings that the owner of the vault chose at its creation. */
export interface VaultPolicy {
  /** Days for which a deleted secret can be recovered, 7 to 90. */
  readonly retentionDays: number;
  readonly purgeProtection: boolean;
  /** Milliseconds that a deletion or a recovery takes. */
  readonly settleMs: number;
}

type Standing = "absent" | "live" | "deleting" | "deleted" | "recovering";

const seconds = (now: number): number => Math.floor(now / 1000);

function describeState(entry: SecretEntry | undefined, now: number): Standing {
  if (entry === undefined) return "absent";
  const settled = now >= entry.settledAt;
  if (entry.deletion === undefined) return settled ? "live" : "recovering";
  if (seconds(now) >= entry.deletion.purgeAt) return "absent";
  return settled ? "deleted" : "deleting";
}

export const isLive = (entry: SecretEntry, now: number): boolean =>
  describeState(entry, now) === "live";

export const isDeleted = (entry: SecretEntry, now: number): boolean =>
  describeState(entry, now) === "deleted";

export function requireLiveEntry(state: VaultState, name: string, now: number): SecretEntry {
  const entry = findEntry(state, name);
  if (entry !== undefined && isLive(entry, now)) return entry;
  throw secretNotFound(name);
}

export function requireDeletedEntry(state: VaultState, name: string, now: number): SecretEntry {
  const entry = findEntry(state, name);
  if (entry !== undefined && isDeleted(entry, now)) return entry;
  throw deletedSecretNotFound(name);
}

/** Returns the requested version, or the newest one when no version is requested. */
export function pickVersion(entry: SecretEntry, version: string | undefined): SecretVersion {
  if (version === undefined) return findCurrentVersion(entry);
  const found = findVersion(entry, version);
  if (found === undefined) throw secretNotFound(entry.name, version);
  return found;
}

/**
 * Reads a version. As in the real service, `nbf` and `exp` do not restrict reading. A disabled newest version is refused, and an
 * older version does not replace it.
 */
export function readVersion(entry: SecretEntry, version: string | undefined): SecretVersion {
  const found = pickVersion(entry, version);
  if (!found.enabled) throw secretDisabled();
  return found;
}

export function decideCreate(
  state: VaultState,
  name: string,
  body: CreateBody,
  at: { now: number; version: string },
): Change[] {
  const entry = findEntry(state, name);
  const standing = describeState(entry, at.now);
  if (standing !== "absent" && standing !== "live") throw nameIsTaken(name, standing);
  return [
    ...clearLeftover(entry, standing),
    {
      kind: "created",
      name,
      version: at.version,
      value: body.value,
      created: seconds(at.now),
      ...readSettings(body, { enabled: true }),
    },
  ];
}

/** Removes a deleted secret after its retention. It is still in the state, but no reader can see it. */
const clearLeftover = (entry: SecretEntry | undefined, standing: Standing): Change[] =>
  standing === "absent" && entry !== undefined ? [{ kind: "purged", name: entry.name }] : [];

/** Restores a backup. The name must not exist. */
export function decideRestore(
  state: VaultState,
  backup: Backup,
  at: { now: number; id: string },
): Change[] {
  const entry = findEntry(state, backup.name);
  const standing = describeState(entry, at.now);
  if (standing === "live") throw restoreConflict(at.id);
  if (standing !== "absent") throw nameIsTaken(backup.name, standing);
  return [
    ...clearLeftover(entry, standing),
    ...backup.versions.flatMap((version) => restoredVersion(backup.name, version)),
  ];
}

/** Marks the versions as published, because their events were published when they were created. */
function restoredVersion(name: string, { updated, ...version }: BackedUpVersion): Change[] {
  const { value: _value, created: _created, ...settings } = version;
  return [
    { kind: "created", name, ...version },
    { kind: "updated", name, updated, ...settings },
    { kind: "announced", name, version: version.version, event: "SecretNewVersionCreated" },
  ];
}

type Settings = Pick<SecretVersion, "enabled" | "contentType" | "tags" | "nbf" | "exp">;

const readSettings = ({ contentType, tags, attributes }: UpdateBody, before: Settings) => ({
  enabled: attributes?.enabled ?? before.enabled,
  contentType: contentType ?? before.contentType,
  tags: tags ?? before.tags,
  nbf: attributes?.nbf ?? before.nbf,
  exp: attributes?.exp ?? before.exp,
});

/** Changes only the fields in the body. Tags in the body replace all tags. */
export function decideUpdate(
  entry: SecretEntry,
  found: SecretVersion,
  body: UpdateBody,
  now: number,
): Change[] {
  return [
    {
      kind: "updated",
      name: entry.name,
      version: found.version,
      updated: seconds(now),
      ...readSettings(body, found),
    },
  ];
}

export function decideDelete(
  state: VaultState,
  name: string,
  policy: VaultPolicy,
  now: number,
): Change[] {
  const entry = requireLiveEntry(state, name, now);
  const at = seconds(now);
  return [
    {
      kind: "deleted",
      name: entry.name,
      at,
      purgeAt: at + policy.retentionDays * 86_400,
      settledAt: now + policy.settleMs,
    },
  ];
}

export function decideRecover(
  state: VaultState,
  name: string,
  policy: VaultPolicy,
  now: number,
): Change[] {
  refuseTransition(state, name, now);
  const entry = requireDeletedEntry(state, name, now);
  return [{ kind: "recovered", name: entry.name, settledAt: now + policy.settleMs }];
}

export function decidePurge(
  state: VaultState,
  name: string,
  policy: VaultPolicy,
  now: number,
): Change[] {
  refuseTransition(state, name, now);
  const entry = requireDeletedEntry(state, name, now);
  if (policy.purgeProtection) {
    throw new VaultError(403, "Forbidden", 'Operation "purge" is not enabled for this vault.');
  }
  return [{ kind: "purged", name: entry.name }];
}

function refuseTransition(state: VaultState, name: string, now: number): void {
  const standing = describeState(findEntry(state, name), now);
  if (standing === "deleting" || standing === "recovering") throw inTransition(standing);
}
