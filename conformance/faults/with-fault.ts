import { setTimeout as wait } from "node:timers/promises";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { Secret } from "../../shared/core/secrets/secret.ts";
import type { SettingRotator } from "../../shared/rotators/rotator.ts";

/**
 * What is wrong with the system behind a rotator. Faults of the line belong to `cutProxy` and `holdProxy`, which try the rotator itself; these
 * try what uses a rotator.
 * - `refuse`: every change is refused, and nothing is sent.
 * - `lose-reply`: every change is made, and its outcome is unknown.
 * - `slow`: every call takes so many milliseconds longer, unless its signal fires.
 * - `propagate-late`: for so many milliseconds after a change, a log-in with the new secret is refused.
 * - `flap`: of every two calls, the first does not reach the system.
 */
export type RotatorFault =
  | { readonly do: "refuse" | "lose-reply" | "flap" }
  | { readonly do: "slow"; readonly ms: number }
  | { readonly do: "propagate-late"; readonly ms: number; readonly now?: () => number };

type Wrapped<Options> = Pick<SettingRotator<Options>, "apply" | "verify">;

/** The rotator with a fault in `apply` and `verify`. */
export function withFault<Options>(
  rotator: SettingRotator<Options>,
  fault: RotatorFault,
): SettingRotator<Options> {
  return { ...rotator, ...wrap(rotator, fault) };
}

function wrap<Options>(
  rotator: SettingRotator<Options>,
  fault: RotatorFault,
): Partial<Wrapped<Options>> {
  switch (fault.do) {
    case "refuse":
      return {
        apply: () => Promise.reject(new ChangeRefusedError("the fault refuses every change")),
      };
    case "lose-reply":
      return {
        async apply(change, signal) {
          await rotator.apply(change, signal);
          throw new OutcomeUnknownError("the fault lost the reply");
        },
      };
    case "slow":
      return slowDown(rotator, fault.ms);
    case "propagate-late":
      return delayPropagation(rotator, fault);
    case "flap":
      return flap(rotator);
  }
}

function slowDown<Options>(rotator: SettingRotator<Options>, ms: number): Wrapped<Options> {
  const pause = (signal: AbortSignal) =>
    wait(ms, undefined, { signal }).catch(() => {
      throw new TargetUnavailableError("the call timed out before the fault let it go");
    });
  return {
    apply: async (change, signal) => {
      await pause(signal);
      return rotator.apply(change, signal);
    },
    verify: async (check, signal) => {
      await pause(signal);
      return rotator.verify(check, signal);
    },
  };
}

function delayPropagation<Options>(
  rotator: SettingRotator<Options>,
  { ms, now = () => performance.now() }: Extract<RotatorFault, { readonly do: "propagate-late" }>,
): Wrapped<Options> {
  let fresh: { readonly secret: Secret; readonly until: number } | undefined;
  return {
    async apply(change, signal) {
      const applied = await rotator.apply(change, signal);
      fresh = { secret: change.next.secret, until: now() + ms };
      return applied;
    },
    async verify(check, signal) {
      const isFresh = fresh && now() < fresh.until && fresh.secret.equals(check.credential.secret);
      return isFresh ? "rejected" : rotator.verify(check, signal);
    },
  };
}

function flap<Options>(rotator: SettingRotator<Options>): Wrapped<Options> {
  let calls = 0;
  async function reach<Result>(call: () => Promise<Result>): Promise<Result> {
    calls += 1;
    if (calls % 2 === 1) throw new TargetUnavailableError("the fault let nothing through");
    return call();
  }
  return {
    apply: (change, signal) => reach(() => rotator.apply(change, signal)),
    verify: (check, signal) => reach(() => rotator.verify(check, signal)),
  };
}
