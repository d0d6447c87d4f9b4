import type { RequestLimits } from "../core/limits/token-bucket.ts";
import type { JustificationRules } from "../core/record/justification.ts";
import type { SecretName, Target } from "../core/target.ts";
import type { Problem } from "./problems.ts";

export interface VaultConfig {
  /** The origin of the vault, such as `https://orders.vault.azure.net`. */
  readonly url: string;
  /** Another vault, which stores pending secrets until they are published in this one. */
  readonly pending?: string;
  /** Versions that Keyturn may create in 10 seconds. Absent: nearly all that Key Vault allows. */
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
      /** Absent: Keyturn authenticates with the managed identity of the app. */
      readonly key?: SecretName;
    }
  | { readonly type: "webhook"; readonly url: string; readonly key: SecretName };

/** The checked configuration, with defaults and references resolved. */
export interface Configured {
  readonly vaults: Readonly<Record<string, VaultConfig>>;
  readonly targets: readonly Target[];
  readonly consumers: Readonly<Record<string, ConsumerConfig>>;
  readonly notifiers: readonly NotifierConfig[];
  /** Milliseconds for which history, idempotency keys and alarms are kept. Absent: the default of the journal. */
  readonly retention?: number;
  /** The modules with rotators of the operator, as paths from the folder of the configuration. Absent: none. */
  readonly modules?: readonly string[];
  readonly api?: ApiConfig;
  readonly ledger?: LedgerConfig;
}

/** How the ledger is protected. */
export interface LedgerConfig {
  /** The key that signs it. */
  readonly signWith?: { readonly key: string; readonly vault: string };
}

/** What the HTTP API requires and permits. */
export interface ApiConfig extends JustificationRules {
  /** Requests of one caller in a minute. An absent kind has its default. */
  readonly limits?: Partial<RequestLimits>;
}

/** The configuration and the warnings of its check. */
export interface Config extends Configured {
  /** Settings that are allowed but probably not intended. */
  readonly warnings: readonly Problem[];
}
