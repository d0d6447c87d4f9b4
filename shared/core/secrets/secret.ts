import { createHash, timingSafeEqual } from "node:crypto";
import type { Instant } from "../time.ts";

const inspectKey = Symbol.for("nodejs.util.inspect.custom");

/**
 * A secret value that prints, inspects and serialises as `[secret]`. Only an adapter that is about to use the
 * value calls `reveal()`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** Compares in constant time. */
  equals(other: Secret): boolean {
    // UTF-8 would turn every unpaired surrogate into the same character.
    const digest = (value: string) => createHash("sha256").update(value, "utf16le").digest();
    return timingSafeEqual(digest(this.#value), digest(other.#value));
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspectKey](): string {
    return "[secret]";
  }
}

/** An account and the secret with which it logs in. */
export interface Credential {
  readonly account: string;
  readonly secret: Secret;
  /** The name that the system gave the secret, if it gives one; not confidential. It is stored as a tag of every version of the secret. */
  readonly secretId?: string;
  /** When the system itself ends the secret. Stored as a tag, too. Absent: it does not. */
  readonly expiresAt?: Instant;
}
