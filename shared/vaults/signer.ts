import type { Signature } from "../core/ledger/chain.ts";

/** A key that signs and that the journal's storage cannot read or replace. */
export interface Signer {
  /** Signs the text with ES256. Throws VaultUnavailableError, or ConfigError for a key that cannot sign. */
  sign(text: string, signal: AbortSignal): Promise<Signature>;
}
