import { setTimeout as wait } from "node:timers/promises";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import type { Secret } from "../../shared/core/secrets/secret.ts";
import type { Rotator, SettingRotator } from "../../shared/rotators/rotator.ts";

/**
 * What is wrong with the system behind a rotator. Faults of the line belong to `cutProxy` and `holdProxy`, which try the rotator itself; these
 * try what uses a rotator. A change is a call of `apply` or `mint`.
 * - `refuse`: every change is refused, and nothing is sent.
 * - `lose-request`: no change reaches the system, and its outcome is unknown.
 * - `lose-reply`: every change is made, and its outcome is unknown. What the system has created is lost.
 * - `slow`: every call takes so many milliseconds longer, unless its signal fires.
 * - `propagate-late`: for so many milliseconds after a change, a log-in with the new secret is refused.
 * - `flap`: of every two calls, the first does not reach the system.
 */
export type RotatorFault =
  | { readonly do: "refuse" | "lose-request" | "lose-reply" | "flap" }
  | { readonly do: "slow"; readonly ms: number }
  | { readonly do: "propagate-late"; readonly ms: number; readonly now?: () => number };

type Send<Result> = (signal: AbortSignal) => Promise<Result>;
type Verdict = "accepted" | "rejected";

/** What happens to calls. */
interface Disturbance {
  /** `read` returns the new secret. */
  change<Result>(
    send: Send<Result>,
    signal: AbortSignal,
    read: (result: Result) => Secret,
  ): Promise<Result>;
  check(send: Send<Verdict>, signal: AbortSignal, secret: Secret): Promise<Verdict>;
}

/** The rotator with a fault in `apply` or `mint`, and in `verify`. */
export function withFault<Options>(
  rotator: SettingRotator<Options>,
  fault: RotatorFault,
): SettingRotator<Options>;
export function withFault<Options>(
  rotator: Rotator<Options>,
  fault: RotatorFault,
): Rotator<Options>;
export function withFault<Options>(
  rotator: Rotator<Options>,
  fault: RotatorFault,
): Rotator<Options> {
  const fate = disturb(fault);
  const apply = rotator.apply?.bind(rotator);
  const mint = rotator.mint?.bind(rotator);
  return {
    ...rotator,
    ...(apply && {
      apply: (call, signal) =>
        fate.change(
          (by) => apply(call, by),
          signal,
          () => call.next.secret,
        ),
    }),
    ...(mint && {
      mint: (call, signal) =>
        fate.change(
          (by) => mint(call, by),
          signal,
          ({ credential }) => credential.secret,
        ),
    }),
    verify: (call, signal) =>
      fate.check((by) => rotator.verify(call, by), signal, call.credential.secret),
  };
}

const undisturbed: Disturbance = {
  change: (send, signal) => send(signal),
  check: (send, signal) => send(signal),
};

function disturb(fault: RotatorFault): Disturbance {
  switch (fault.do) {
    case "refuse":
      return failing(() => new ChangeRefusedError("the fault refuses every change"));
    case "lose-request":
      return failing(() => new OutcomeUnknownError("the fault lost the request"));
    case "lose-reply":
      return {
        ...undisturbed,
        async change(send, signal) {
          await send(signal);
          throw new OutcomeUnknownError("the fault lost the reply");
        },
      };
    case "slow":
      return slowDown(fault.ms);
    case "propagate-late":
      return delayPropagation(fault);
    case "flap":
      return flap();
  }
}

/** Every change fails before it is sent. */
const failing = (makeError: () => Error): Disturbance => ({
  ...undisturbed,
  change: () => Promise.reject(makeError()),
});

function slowDown(ms: number): Disturbance {
  async function slowly<Result>(send: Send<Result>, signal: AbortSignal): Promise<Result> {
    await wait(ms, undefined, { signal }).catch(() => {
      throw new TargetUnavailableError("the call timed out before the fault let it go");
    });
    return send(signal);
  }
  return { change: slowly, check: slowly };
}

function delayPropagation({
  ms,
  now = () => performance.now(),
}: Extract<RotatorFault, { readonly do: "propagate-late" }>): Disturbance {
  let fresh: { readonly secret: Secret; readonly until: number } | undefined;
  return {
    async change(send, signal, read) {
      const result = await send(signal);
      fresh = { secret: read(result), until: now() + ms };
      return result;
    },
    async check(send, signal, secret) {
      const isFresh = fresh && now() < fresh.until && fresh.secret.equals(secret);
      return isFresh ? "rejected" : send(signal);
    },
  };
}

function flap(): Disturbance {
  let calls = 0;
  async function reach<Result>(send: Send<Result>, signal: AbortSignal): Promise<Result> {
    calls += 1;
    if (calls % 2 === 1) throw new TargetUnavailableError("the fault let nothing through");
    return send(signal);
  }
  return { change: reach, check: reach };
}
