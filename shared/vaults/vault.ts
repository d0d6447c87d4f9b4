import type { Secret } from "../core/secrets/secret.ts";
import type { VersionRef } from "../core/target.ts";
import type { Instant } from "../core/time.ts";

/** What is written as one new version. Nothing is inherited from the version before it. */
export interface SecretContent {
  readonly value: Secret;
  readonly contentType: string;
  readonly expiresAt?: Instant;
  /** At most 15, of at most 512 characters. Readable by everybody who may list: never a secret. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface StoredSecret extends SecretContent {
  readonly ref: VersionRef;
  readonly createdAt: Instant;
}

/**
 * Why there is no value to read. `absent`: the vault itself says that no such secret exists. `disabled`: it exists and
 * was disabled. `deleted`: it was deleted and can be recovered; until then no version of that name can be written.
 */
export type Unreadable = "absent" | "disabled" | "deleted";

/** A version of a secret without its value. */
export interface VersionInfo {
  readonly ref: VersionRef;
  readonly enabled: boolean;
  readonly createdAt: Instant;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Where secrets are kept. "Current" is simply the newest version. A vault that cannot be asked, or that refuses us,
 * throws VaultUnavailableError, whose message and cause hold neither a value nor a token; input that no vault
 * would take (a bad name, too many tags) throws ConfigError.
 */
export interface Vault {
  /** The version that consumers get when they name no version. */
  readCurrent(name: string, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  /** `absent` also for a version of a deleted secret, unless the vault says that it is deleted. */
  readVersion(ref: VersionRef, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  /**
   * Every version of the name, newest first; empty when the name is absent or deleted. Times are whole seconds: versions
   * of the same second come in an order that stays the same and means nothing. One request for each 25 versions.
   */
  listVersions(name: string, signal: AbortSignal): Promise<readonly VersionInfo[]>;
  /** A lost reply may leave two equal versions; the one returned exists. */
  write(name: string, content: SecretContent, signal: AbortSignal): Promise<VersionRef>;
  /** Makes exactly this version unreadable. Safe to repeat; a version that is gone is no error. */
  disable(ref: VersionRef, signal: AbortSignal): Promise<void>;
}
