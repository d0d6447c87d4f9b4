import { OutcomeUnknownError, TargetUnavailableError } from "../../../shared/core/errors.ts";
import { makeMemoryRotator, type MemorySystem } from "../../../shared/rotators/memory.ts";
import type { Rotator, SettingRotator } from "../../../shared/rotators/rotator.ts";
import { medianMs } from "./measured-services.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface TargetDeps {
  readonly system: MemorySystem;
  readonly clock: SimulatedClock;
  readonly latency: (median: number) => number;
  /** Called when the password of the account has changed. */
  readonly onChanged: (account: string) => void;
}

/** Servers that answer at once. */
export function plainTarget(system: MemorySystem): SettingRotator {
  const rotator = makeMemoryRotator(system);
  return {
    ...rotator,
    apply: (change, signal) => rotator.apply({ ...change, options: {} }, signal),
    verify: (check, signal) => rotator.verify({ ...check, options: {} }, signal),
    examine: async (examine, signal) =>
      (await rotator.examine?.({ ...examine, options: {} }, signal)) ?? "rejected",
    hasSessions: async (look, signal) =>
      (await rotator.hasSessions?.({ ...look, options: {} }, signal)) ?? true,
    retire: async (retire, signal) => rotator.retire?.({ ...retire, options: {} }, signal),
  };
}

/** Servers with the latencies of the model, which never fail. */
export function simulatedTarget({ system, clock, latency, onChanged }: TargetDeps): Rotator {
  const plain = plainTarget(system);
  const late = () => new TargetUnavailableError("timed out");
  const lost = () => new OutcomeUnknownError("timed out");
  const logIn = (signal: AbortSignal) => clock.sleepWithin(latency(medianMs.logIn), signal, late);
  return {
    ...plain,
    async apply(change, signal) {
      await clock.sleepWithin(latency(medianMs.logIn), signal, lost);
      const applied = await plain.apply(change, signal);
      onChanged(applied.credential.account);
      await clock.sleepWithin(latency(medianMs.change), signal, lost);
      return applied;
    },
    async verify(check, signal) {
      await logIn(signal);
      return plain.verify(check, signal);
    },
    async examine(examine, signal) {
      await logIn(signal);
      return (await plain.examine?.(examine, signal)) ?? "rejected";
    },
  };
}
