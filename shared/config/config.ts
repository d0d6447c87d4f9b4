import type { SecretName, Target } from "../core/target.ts";
import type { Problem } from "./problems.ts";

export interface VaultConfig {
  /** Origin only, such as `https://orders.vault.azure.net`. */
  readonly url: string;
  /** Another vault, in which new secrets wait until they are published in this one. */
  readonly pending?: string;
  /** Versions that Keyturn may create in 10 seconds; absent: nearly all that Key Vault allows. */
  readonly createsPer10s?: number;
}

export interface ConsumerConfig {
  readonly type: "webhook";
  readonly url: string;
  readonly key: SecretName;
}

export type NotifierConfig =
  | {
      readonly type: "event-grid";
      readonly endpoint: string;
      /** Absent: with the app's managed identity. */
      readonly key?: SecretName;
    }
  | { readonly type: "webhook"; readonly url: string; readonly key: SecretName };

/** Everything a person has configured, checked, with defaults and references resolved. */
export interface Configured {
  readonly vaults: Readonly<Record<string, VaultConfig>>;
  readonly targets: readonly Target[];
  readonly consumers: Readonly<Record<string, ConsumerConfig>>;
  readonly notifiers: readonly NotifierConfig[];
  /** Milliseconds for which history, idempotency keys and alarms are kept; absent: as long as the journal has it by default. */
  readonly retention?: number;
}

/** The same, and what the check found. */
export interface Config extends Configured {
  /** Allowed, and worth a second look. */
  readonly warnings: readonly Problem[];
}
