import { asSetting } from "../../../shared/rotators/as-setting.ts";
import type { Rotator } from "../../../shared/rotators/rotator.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import type { PaceStore } from "../../../shared/stores/pace.ts";
import type { Queue } from "../../../shared/stores/queue.ts";
import type { Vault } from "../../../shared/vaults/vault.ts";
import { type Counts, noCounts } from "./counts.ts";

/** The time at which the secret of an account changed on the server or in the vault. */
export interface Moment {
  /** The name of the account or of the secret. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Ports that count their calls and record when passwords change. */
export interface Meter {
  readonly counts: Counts;
  /** Changes that the server has confirmed. */
  readonly changed: Moment[];
  /** Versions that the vault has confirmed, under any name. */
  readonly written: Moment[];
  journal(journal: Journal): Journal;
  vault(vault: Vault): Vault;
  rotator(rotator: Rotator): Rotator;
  queue(queue: Queue): Queue;
  pace(store: PaceStore): PaceStore;
}

export function meter(now: () => number = Date.now): Meter {
  const counts = noCounts();
  const changed: Moment[] = [];
  const written: Moment[] = [];
  const count = <Result>(field: keyof Counts, answer: Result): Result => {
    counts[field] += 1;
    return answer;
  };
  return {
    ...{ counts, changed, written },
    journal: (journal) => ({
      ...journal,
      commit: (change) => count("transactions", journal.commit(change)),
      read: (id) => count("journalReads", journal.read(id)),
    }),
    vault: (vault) => ({
      ...vault,
      readCurrent: (name, signal) => count("vaultReads", vault.readCurrent(name, signal)),
      readVersion: (ref, signal) => count("vaultReads", vault.readVersion(ref, signal)),
      listVersions: (name, signal) => count("vaultLists", vault.listVersions(name, signal)),
      disable: (ref, signal) => count("vaultUpdates", vault.disable(ref, signal)),
      async write(name, content, signal) {
        const ref = await count("vaultCreates", vault.write(name, content, signal));
        written.push({ name, at: now() });
        return ref;
      },
    }),
    rotator: (rotator) => ({
      ...rotator,
      async apply(change, signal) {
        const applied = await asSetting(rotator).apply(change, signal);
        changed.push({ name: applied.credential.account, at: now() });
        return applied;
      },
    }),
    pace: (store) => ({
      read: (vault) => count("paceCalls", store.read(vault)),
      write: (...mark) => count("paceCalls", store.write(...mark)),
    }),
    queue: (queue) => ({
      send: (message, delay) => count("queueSends", queue.send(message, delay)),
    }),
  };
}
