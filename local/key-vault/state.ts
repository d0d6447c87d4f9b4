import { z } from "zod";

export const EVENT_KINDS = [
  "SecretNewVersionCreated",
  "SecretNearExpiry",
  "SecretExpired",
] as const;

const milliseconds = z.number();
const seconds = z.int();

const settings = {
  enabled: z.boolean(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  nbf: seconds.optional(),
  exp: seconds.optional(),
};

const of = { name: z.string(), version: z.string() };

/** The changes of a vault. Applying them in order gives its state. */
export const changeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("created"),
    ...of,
    value: z.string(),
    created: seconds,
    ...settings,
  }),
  z.object({ kind: z.literal("updated"), ...of, updated: seconds, ...settings }),
  z.object({
    kind: z.literal("deleted"),
    name: z.string(),
    at: seconds,
    purgeAt: seconds,
    settledAt: milliseconds,
  }),
  z.object({ kind: z.literal("recovered"), name: z.string(), settledAt: milliseconds }),
  z.object({ kind: z.literal("purged"), name: z.string() }),
  z.object({
    kind: z.literal("key-created"),
    ...of,
    created: seconds,
    x: z.string(),
    y: z.string(),
    d: z.string(),
  }),
  z.object({
    kind: z.literal("key-tagged"),
    ...of,
    tags: z.record(z.string(), z.string()),
  }),
  z.object({ kind: z.literal("announced"), ...of, event: z.enum(EVENT_KINDS) }),
]);

export type Change = z.infer<typeof changeSchema>;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface SecretVersion {
  readonly version: string;
  readonly value: string;
  /** Seconds since 1970, like every time below without another unit. */
  readonly created: number;
  updated: number;
  enabled: boolean;
  contentType?: string | undefined;
  tags?: Record<string, string> | undefined;
  nbf?: number | undefined;
  exp?: number | undefined;
  readonly announced: Set<EventKind>;
}

export interface SecretEntry {
  readonly name: string;
  /** In the order of creation. The last version is current. Never empty. */
  readonly versions: [SecretVersion, ...SecretVersion[]];
  deletion?: { readonly at: number; readonly purgeAt: number } | undefined;
  /** Milliseconds. The deletion or recovery ends at this time. */
  settledAt: number;
}

/** A version of an EC key, with its parts as in a JSON Web Key. */
export interface KeyVersion {
  readonly version: string;
  readonly created: number;
  readonly x: string;
  readonly y: string;
  /** The private part. */
  readonly d: string;
  tags?: Record<string, string>;
}

export interface KeyEntry {
  readonly name: string;
  readonly versions: KeyVersion[];
}

export interface VaultState {
  /** Keys by lower-case name. They have names of their own. */
  readonly keys: Map<string, KeyEntry>;
  /** Entries by lower-case name, because the service ignores the case of names. */
  readonly entries: Map<string, SecretEntry>;
  /** Versions whose creation event is not yet published, by `name/version`. */
  readonly unannounced: Map<string, { readonly entry: SecretEntry; readonly made: SecretVersion }>;
}

export const emptyState = (): VaultState => ({
  keys: new Map(),
  entries: new Map(),
  unannounced: new Map(),
});

export const findKey = (state: VaultState, name: string): KeyEntry | undefined =>
  state.keys.get(name.toLowerCase());

export const findEntry = (state: VaultState, name: string): SecretEntry | undefined =>
  state.entries.get(name.toLowerCase());

export const findCurrentVersion = (entry: SecretEntry): SecretVersion =>
  entry.versions.at(-1) ?? entry.versions[0];

export const findVersion = (entry: SecretEntry, version: string): SecretVersion | undefined =>
  entry.versions.find((each) => each.version === version);

const toKey = (name: string, version: string): string => `${name.toLowerCase()}/${version}`;

/** Applies one change. A change to something unknown has no effect. */
export function applyChange(state: VaultState, change: Change): void {
  if (change.kind === "created") {
    applyCreated(state, change);
    return;
  }
  if (change.kind === "key-created" || change.kind === "key-tagged") {
    applyToKey(state, change);
    return;
  }
  const entry = findEntry(state, change.name);
  if (entry === undefined) return;
  switch (change.kind) {
    case "updated":
    case "announced":
      applyToVersion(state, entry, change);
      return;
    case "deleted":
      entry.deletion = { at: change.at, purgeAt: change.purgeAt };
      entry.settledAt = change.settledAt;
      return;
    case "recovered":
      entry.deletion = undefined;
      entry.settledAt = change.settledAt;
      return;
    case "purged":
      state.entries.delete(change.name.toLowerCase());
      for (const { version } of entry.versions) {
        state.unannounced.delete(toKey(entry.name, version));
      }
  }
}

function applyCreated(state: VaultState, change: Extract<Change, { kind: "created" }>): void {
  const { kind: _kind, name, ...rest } = change;
  const made: SecretVersion = { ...rest, updated: change.created, announced: new Set() };
  let entry = findEntry(state, name);
  if (entry === undefined) {
    entry = { name, versions: [made], settledAt: 0 };
    state.entries.set(name.toLowerCase(), entry);
  } else {
    entry.versions.push(made);
  }
  state.unannounced.set(toKey(name, made.version), { entry, made });
}

function applyToKey(
  state: VaultState,
  change: Extract<Change, { kind: "key-created" | "key-tagged" }>,
): void {
  const entry = findKey(state, change.name);
  if (change.kind === "key-tagged") {
    const tagged = entry?.versions.find(({ version }) => version === change.version);
    if (tagged) tagged.tags = change.tags;
    return;
  }
  const { kind: _kind, name, ...made } = change;
  if (entry) entry.versions.push(made);
  else state.keys.set(name.toLowerCase(), { name, versions: [made] });
}

function applyToVersion(
  state: VaultState,
  entry: SecretEntry,
  change: Extract<Change, { kind: "updated" | "announced" }>,
): void {
  const found = findVersion(entry, change.version);
  if (found === undefined) return;
  if (change.kind === "announced") {
    found.announced.add(change.event);
    if (change.event === "SecretNewVersionCreated") {
      state.unannounced.delete(toKey(entry.name, found.version));
    }
    return;
  }
  const { updated, enabled, contentType, tags, nbf, exp } = change;
  Object.assign(found, { updated, enabled, contentType, tags, nbf, exp });
}
