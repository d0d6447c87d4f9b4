import { createThrottle, type RequestKind } from "../../../local/key-vault/throttle.ts";
import { VaultUnavailableError } from "../../../shared/core/errors.ts";
import { makeMemoryVault, type MemoryVault } from "../../../shared/vaults/memory-vault.ts";
import type { Vault } from "../../../shared/vaults/vault.ts";
import { medianMs, vaultRetries } from "./measured-services.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface SimulatedVault {
  /** The content of the vault, without latencies and limits. */
  readonly vault: MemoryVault;
  /** The vault as an instance sees it. */
  readonly remote: Vault;
  /** Answers 429 so far. */
  throttled(): number;
  /** Versions made through `remote`. */
  creates(): number;
  /** All requests through `remote`, including those that got 429. */
  requests(): number;
}

export interface VaultDeps {
  readonly name: string;
  readonly clock: SimulatedClock;
  readonly latency: (median: number) => number;
  readonly newVersion: () => string;
  /** Called when a version was written under this name. */
  readonly onWritten: (name: string) => void;
}

/**
 * A vault with the same limits as the emulator. Refused requests are retried like the client of `shared/vaults` does: up to twice,
 * after the wait that the vault requests, unless that is too long.
 */
export function simulatedVault(deps: VaultDeps): SimulatedVault {
  const { name, clock, latency, newVersion, onWritten } = deps;
  const vault = makeMemoryVault({ name, now: () => new Date(clock.now()), newVersion });
  const throttle = createThrottle(1);
  let [throttled, creates, requests] = [0, 0, 0];

  const late = () => new VaultUnavailableError(`Key Vault ${name}: the request timed out.`);

  async function ask<Result>(
    [kind, median]: readonly [RequestKind, number],
    signal: AbortSignal,
    call: () => Promise<Result>,
  ): Promise<Result> {
    for (let tries = 0; ; tries++) {
      const each = latency(median);
      requests += 1;
      await clock.sleepWithin(each / 2, signal, late);
      const waitSeconds = throttle.refuse(kind, clock.now());
      if (waitSeconds === undefined) {
        const result = await call();
        await clock.sleepWithin(each / 2, signal, late);
        return result;
      }
      throttled += 1;
      await clock.sleepWithin(each / 2, signal, late);
      const pause = 1_000 * waitSeconds;
      if (tries === vaultRetries.most || pause > vaultRetries.maxPauseMs) {
        const message = `Key Vault ${name}: the vault is throttling (HTTP 429).`;
        throw new VaultUnavailableError(message, { retryAfter: pause });
      }
      await clock.sleepWithin(pause, signal, late);
    }
  }

  const read = ["other", medianMs.vaultRead] as const;
  const remote: Vault = {
    readCurrent: (secret, signal) => ask(read, signal, () => vault.readCurrent(secret, signal)),
    readVersion: (ref, signal) => ask(read, signal, () => vault.readVersion(ref, signal)),
    listVersions: (secret, signal) => ask(read, signal, () => vault.listVersions(secret, signal)),
    disable: (ref, signal) =>
      ask(["other", medianMs.vaultUpdate], signal, () => vault.disable(ref, signal)),
    async write(secret, content, signal) {
      const ref = await ask(["create", medianMs.vaultCreate], signal, () =>
        vault.write(secret, content, signal),
      );
      creates += 1;
      onWritten(secret);
      return ref;
    },
  };
  return {
    ...{ vault, remote },
    throttled: () => throttled,
    creates: () => creates,
    requests: () => requests,
  };
}
