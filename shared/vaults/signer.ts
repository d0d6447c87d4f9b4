import type { Head, Signature } from "../core/ledger/chain.ts";

/** The newest version of a key, as one reading has shown it. */
export interface SigningKey {
  /** The head that was signed last, by whichever instance. Undefined: none was, or the key may not remember it. */
  readonly last?: Head;
  /** Signs with ES256, and lets the key remember the head. Fails like `open`. */
  sign(head: Head, signal: AbortSignal): Promise<Signature>;
}

/** A key that signs heads of the ledger. The journal's storage can neither read nor replace it, nor change what it remembers. */
export interface Signer {
  /** Throws VaultUnavailableError, or ConfigError for a key that cannot sign. */
  open(signal: AbortSignal): Promise<SigningKey>;
}
