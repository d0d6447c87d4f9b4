import { createHash } from "node:crypto";
import {
  type Change,
  type EventKind,
  findCurrentVersion,
  type SecretEntry,
  type SecretVersion,
  type VaultState,
} from "./state.ts";

/** The service reports expiry this long ahead. It cannot be configured. */
const NEAR_EXPIRY_SECONDS = 30 * 86_400;

/** An event of Key Vault in the Event Grid schema. */
export interface KeyVaultEvent {
  readonly id: string;
  /** Resource id of the vault. */
  readonly topic: string;
  /** The bare name of the secret. */
  readonly subject: string;
  readonly eventType: `Microsoft.KeyVault.${EventKind}`;
  /** Has seven decimals of a second, like the service. */
  readonly eventTime: string;
  readonly data: {
    readonly Id: string;
    readonly VaultName: string;
    readonly ObjectType: "Secret";
    readonly ObjectName: string;
    readonly Version: string;
    /** Seconds since 1970, null when unset. */
    readonly NBF: number | null;
    readonly EXP: number | null;
  };
  readonly dataVersion: "1";
  readonly metadataVersion: "1";
}

interface Announcement {
  readonly kind: EventKind;
  readonly entry: SecretEntry;
  readonly found: SecretVersion;
}

/**
 * Lists the events that are due and not yet published. Near expiry is published only for the current version, once for each
 * version, even if it is disabled.
 */
function dueAnnouncements(state: VaultState, now: number): Announcement[] {
  const due: Announcement[] = [];
  for (const { entry, made } of state.unannounced.values()) {
    due.push({ kind: "SecretNewVersionCreated", entry, found: made });
  }
  for (const entry of state.entries.values()) {
    if (entry.deletion !== undefined) continue;
    const found = findCurrentVersion(entry);
    for (const kind of expiryKinds(found, now / 1000)) due.push({ kind, entry, found });
  }
  return due;
}

function expiryKinds(found: SecretVersion, now: number): EventKind[] {
  if (found.exp === undefined) return [];
  const times = {
    SecretNearExpiry: found.exp - NEAR_EXPIRY_SECONDS,
    SecretExpired: found.exp,
  };
  return (["SecretNearExpiry", "SecretExpired"] as const).filter(
    (kind) => times[kind] <= now && !found.announced.has(kind),
  );
}

interface AnnouncerOptions {
  readonly state: VaultState;
  readonly vaultName: string;
  readonly onEvent: (event: KeyVaultEvent) => void | Promise<void>;
  commit(decide: () => readonly Change[]): Promise<void>;
}

/**
 * Publishes events and then records them as published. After a crash in between, or when the receiver fails, an event is
 * published again with the same id. Runs never overlap.
 */
export function createAnnouncer(
  options: AnnouncerOptions,
): (vaultUrl: string, now: number) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (vaultUrl, now) => {
    last = last.then(() => announceAll(options, vaultUrl, now));
    return last;
  };
}

async function announceAll(
  options: AnnouncerOptions,
  vaultUrl: string,
  now: number,
): Promise<void> {
  for (const due of dueAnnouncements(options.state, now)) {
    try {
      await options.onEvent(toEvent(due, options.vaultName, vaultUrl, now));
      const { name } = due.entry;
      await options.commit(() => [
        { kind: "announced", name, version: due.found.version, event: due.kind },
      ]);
    } catch {
      // Stays due.
    }
  }
}

function toEvent(
  { kind, entry, found }: Announcement,
  vaultName: string,
  vaultUrl: string,
  now: number,
): KeyVaultEvent {
  return {
    id: eventId(`${kind} ${vaultName} ${entry.name} ${found.version}`),
    topic: toVaultResourceId(vaultName),
    subject: entry.name,
    eventType: `Microsoft.KeyVault.${kind}`,
    eventTime: new Date(now).toISOString().replace("Z", "0000Z"),
    data: {
      Id: `${vaultUrl}/secrets/${entry.name}/${found.version}`,
      VaultName: vaultName,
      ObjectType: "Secret",
      ObjectName: entry.name,
      Version: found.version,
      NBF: found.nbf ?? null,
      EXP: found.exp ?? null,
    },
    dataVersion: "1",
    metadataVersion: "1",
  };
}

export const toVaultResourceId = (name: string): string =>
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local" +
  `/providers/Microsoft.KeyVault/vaults/${name}`;

/** Makes an id that looks like a random one of the service, but is always the same for the same event. */
function eventId(of: string): string {
  const hex = createHash("sha256").update(of).digest("hex");
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join("-");
}
