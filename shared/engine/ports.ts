import type { Consumer } from "../consumers/consumer.ts";
import type { EventReader } from "../core/events.ts";
import type { Secret } from "../core/secrets/secret.ts";
import type { SecretName, Target } from "../core/target.ts";
import type { Notifier } from "../notifiers/notifier.ts";
import type { Rotator } from "../rotators/rotator.ts";
import type { Journal } from "../stores/journal.ts";
import type { Pace } from "../stores/pace.ts";
import type { Signer } from "../vaults/signer.ts";
import type { Vault } from "../vaults/vault.ts";
import type { AdminRefusals } from "./calls/admin-refusals.ts";
import type { AdminSecrets } from "./calls/admin-secrets.ts";
import type { Freezes } from "./fleet/frozen-targets.ts";
import type { Servers } from "./fleet/servers.ts";

/** Everything outside of the engine that it uses, including the clock, randomness and ids. */
export interface Ports {
  readonly journal: Journal;
  /** Returns undefined when the vault is not, or no longer, configured. */
  readonly vault: (name: string) => Vault | undefined;
  readonly rotator: (type: string) => Rotator;
  readonly consumer: (name: string) => Consumer;
  readonly notifiers: readonly Notifier[];
  /** Signs the heads of the ledger. Absent: nobody does. */
  readonly signer?: Signer;
  /** A token of the app's Azure identity for a scope. Throws TargetUnavailableError when Azure gives none. */
  readonly getToken: (scope: string, signal: AbortSignal) => Promise<Secret>;
  /** Returns the targets that use this admin secret to change their own. */
  readonly targetsUsing: (admin: SecretName) => readonly Target[];
  /** Returns the targets that follow this one (`after`). */
  readonly followers: (targetId: string) => readonly Target[];
  /** Refused admin log-ins that all targets of this process share. */
  readonly adminRefusals?: AdminRefusals;
  /** Admin secrets that targets of this process have just read. */
  readonly adminSecrets?: AdminSecrets;
  /** What this instance remembers about servers. Absent: no target waits for its server. */
  readonly servers?: Servers;
  /** The freezes that people have set. Absent: none. */
  readonly freezes?: Freezes;
  /** The rate at which all instances together may create versions. Absent: no limit. */
  readonly pace?: Pace;
  readonly emit: EventReader;
  /** Returns a new ULID. ULIDs are unique and sort by time. */
  readonly newId: () => string;
  /** Returns cryptographically strong random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Resolves after this many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Milliseconds between sweeps. Absent: the default interval. Only plans and the sweep itself use it. */
  readonly sweepEvery?: number;
  /** Returns a signal that fires after this many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
}
