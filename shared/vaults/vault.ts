import type { Secret } from "../core/secret.ts";
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

/** There is no such secret; or there is, and somebody disabled it, so that its value cannot be read. */
export type Unreadable = "absent" | "disabled";

/**
 * Where secrets are kept. "Current" is simply the newest version. A vault that cannot be asked, or that refuses us,
 * throws VaultUnavailableError, whose message and cause hold neither a value nor a token; input that no vault
 * would take (a bad name, too many tags) throws ConfigError.
 */
export interface Vault {
  /** The version that consumers get when they name no version. */
  readCurrent(name: string, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  readVersion(ref: VersionRef, signal: AbortSignal): Promise<StoredSecret | Unreadable>;
  /** A lost reply may leave two equal versions; the one returned exists. */
  write(name: string, content: SecretContent, signal: AbortSignal): Promise<VersionRef>;
  /** Makes exactly this version unreadable. Safe to repeat; a version that is gone is no error. */
  disable(ref: VersionRef, signal: AbortSignal): Promise<void>;
}
