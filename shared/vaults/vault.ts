import type { Secret } from "../core/secrets/secret.ts";
import type { VersionRef } from "../core/target.ts";
import type { Instant } from "../core/time.ts";

/** The content of one new version. It inherits nothing from the version before. */
export interface SecretContent {
  readonly value: Secret;
  readonly contentType: string;
  readonly expiresAt?: Instant;
  /** At most 15 tags of at most 512 characters. Everyone who may list secrets can read them, so they never contain a secret. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface StoredSecret extends SecretContent {
  readonly ref: VersionRef;
  readonly createdAt: Instant;
}

/**
 * Why there is no value. `absent`: the vault itself says that the secret does not exist. `disabled`: it exists and is disabled.
 * `deleted`: it was deleted and can be recovered; before that no version of that name can be written.
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
 * A store of secrets. "Current" means the newest version. A vault that cannot be reached, or that refuses access, throws
 * VaultUnavailableError, whose message and cause contain neither a value nor a token. Input that no vault accepts (an invalid name,
 * too many tags) throws ConfigError.
 */
export interface Vault {
  /** The version that consumers get when they name no version. */
  readCurrent(name: string, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  /** Returns `absent` also for a version of a deleted secret, unless the vault says that it is deleted. */
  readVersion(ref: VersionRef, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  /**
   * Every version of the name, newest first; empty when the name is absent or deleted. Times are whole seconds: versions of the same
   * second have a fixed order without meaning. Each 25 versions take one request.
   */
  listVersions(name: string, signal: AbortSignal): Promise<readonly VersionInfo[]>;
  /** A lost reply may leave two equal versions; the one returned exists. */
  write(name: string, content: SecretContent, signal: AbortSignal): Promise<VersionRef>;
  /** Disables exactly this version. It is safe to repeat; a version that no longer exists is not an error. */
  disable(ref: VersionRef, signal: AbortSignal): Promise<void>;
}
