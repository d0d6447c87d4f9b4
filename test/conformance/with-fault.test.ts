import { beforeEach, describe, expect, test } from "vitest";
import { type RotatorFault, withFault } from "../../conformance/faults/with-fault.ts";
import { appIdentity } from "../../conformance/identity.ts";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../shared/rotators/memory.ts";
import { makeKeysRotator } from "../../shared/rotators/memory-minting.ts";

const current = { account: "app", secret: new Secret("first-secret") };
const next = { account: "app", secret: new Secret("second-secret") };
const never = () => new AbortController().signal;

let system = makeMemorySystem();
beforeEach(() => {
  system = makeMemorySystem();
  system.passwords.set("app", current.secret);
});

interface Begun {
  /** Makes a change, and returns the secret that it has set. */
  change(signal?: AbortSignal): Promise<Credential>;
  logIn(credential: Credential, signal?: AbortSignal): Promise<string>;
}

/** A rotator of each kind, with a fault. */
const kinds: Readonly<Record<string, (fault: RotatorFault) => Begun>> = {
  "that sets secrets": (fault) => {
    const rotator = withFault(makeMemoryRotator(system), fault);
    const using = { as: "self", credential: current } as const;
    return {
      change: async (signal = never()) =>
        (await rotator.apply({ options: {}, next, using }, signal)).credential,
      logIn: (credential, signal = never()) => rotator.verify({ options: {}, credential }, signal),
    };
  },
  "whose system creates secrets": (fault) => {
    const traits = { settleTime: 900_000, datesCreation: true };
    const rotator = withFault(makeKeysRotator(system, traits), fault);
    const mark = { targetId: "orders", rotationId: "1" };
    const call = { options: {}, account: "app", using: appIdentity, mark };
    return {
      async change(signal = never()) {
        const minted = await rotator.mint?.(call, signal);
        if (!minted) throw new Error("no mint");
        return minted.credential;
      },
      logIn: (credential, signal = never()) => rotator.verify({ options: {}, credential }, signal),
    };
  },
};

const valid = () => system.passwords.get("app")?.reveal();

describe.each(Object.entries(kinds))("a rotator %s", (_kind, begin) => {
  test.each([
    ["refuses", { do: "refuse" }, ChangeRefusedError],
    ["loses requests", { do: "lose-request" }, OutcomeUnknownError],
  ] as const)("that %s has changed nothing", async (_what, fault, kind) => {
    await expect(begin(fault).change()).rejects.toThrow(kind);
    expect(valid()).toBe("first-secret");
  });

  test("that loses replies has made the change", async () => {
    await expect(begin({ do: "lose-reply" }).change()).rejects.toThrow(OutcomeUnknownError);
    expect(valid()).not.toBe("first-secret");
  });

  test("that is slow ends with its signal, before it sends anything", async () => {
    const slow = begin({ do: "slow", ms: 3_600_000 });
    await expect(slow.change(AbortSignal.timeout(1))).rejects.toThrow(TargetUnavailableError);
    await expect(slow.logIn(current, AbortSignal.timeout(1))).rejects.toThrow("timed out");
    expect(valid()).toBe("first-secret");
  });

  test("that propagates late refuses the new secret until then, and the old one always", async () => {
    let time = 0;
    const late = begin({ do: "propagate-late", ms: 60_000, now: () => time });
    const set = await late.change();
    expect([await late.logIn(set), await late.logIn(current)]).toEqual(["rejected", "rejected"]);
    time = 60_000;
    expect(await late.logIn(set)).toBe("accepted");
  });

  test("that flaps lets every second call through", async () => {
    const flapping = begin({ do: "flap" });
    await expect(flapping.change()).rejects.toThrow(TargetUnavailableError);
    expect(valid()).toBe("first-secret");
    const set = await flapping.change();
    await expect(flapping.logIn(set)).rejects.toThrow(TargetUnavailableError);
    expect(await flapping.logIn(set)).toBe("accepted");
  });
});
