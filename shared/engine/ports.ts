import type { Consumer } from "../consumers/consumer.ts";
import type { EventReader } from "../core/events.ts";
import type { SecretName, Target } from "../core/target.ts";
import type { Notifier } from "../notifiers/notifier.ts";
import type { Rotator } from "../rotators/rotator.ts";
import type { Journal } from "../stores/journal.ts";
import type { Pace } from "../stores/pace.ts";
import type { Vault } from "../vaults/vault.ts";
import type { AdminRefusals } from "./calls/admin-refusals.ts";
import type { AdminSecrets } from "./calls/admin-secrets.ts";
import type { Servers } from "./fleet/servers.ts";

/** Everything outside that the engine uses. Clock, randomness and ids are handed in like the rest. */
export interface Ports {
  readonly journal: Journal;
  /** Undefined when no such vault is configured (any more). */
  readonly vault: (name: string) => Vault | undefined;
  readonly rotator: (type: string) => Rotator;
  readonly consumer: (name: string) => Consumer;
  readonly notifiers: readonly Notifier[];
  /** The targets whose secrets are changed with the rights of this one. */
  readonly targetsUsing: (admin: SecretName) => readonly Target[];
  /** What other targets of this process have learnt about admins. */
  readonly adminRefusals?: AdminRefusals;
  /** What other targets of this process have just read. */
  readonly adminSecrets?: AdminSecrets;
  /** What this instance remembers of servers. Absent: every target has its turn at once. */
  readonly servers?: Servers;
  /** How fast versions may be created, by all instances together. Absent: nobody asks. */
  readonly pace?: Pace;
  readonly emit: EventReader;
  /** A new ULID: unique, and in the order of time. */
  readonly newId: () => string;
  /** Cryptographically strong. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Milliseconds between sweeps; the usual ones, when absent. Only plans need to know. */
  readonly sweepEvery?: number;
  /** A signal that fires after so many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
}
