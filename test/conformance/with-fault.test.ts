import { beforeEach, describe, expect, test } from "vitest";
import { type RotatorFault, withFault } from "../../conformance/faults/with-fault.ts";
import {
  ChangeRefusedError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../shared/rotators/memory.ts";

const current = { account: "app", secret: new Secret("first-secret") };
const next = { account: "app", secret: new Secret("second-secret") };
const never = () => new AbortController().signal;

let system = makeMemorySystem();
beforeEach(() => {
  system = makeMemorySystem();
  system.passwords.set("app", current.secret);
});

function begin(fault: RotatorFault) {
  const rotator = withFault(makeMemoryRotator(system), fault);
  const using = { as: "self", credential: current } as const;
  return {
    change: (signal = never()) => rotator.apply({ options: {}, next, using }, signal),
    logIn: (credential = next, signal = never()) =>
      rotator.verify({ options: {}, credential }, signal),
  };
}

const valid = () => system.passwords.get("app")?.reveal();

describe("a rotator with a fault", () => {
  test("that refuses has changed nothing", async () => {
    await expect(begin({ do: "refuse" }).change()).rejects.toThrow(ChangeRefusedError);
    expect(valid()).toBe("first-secret");
  });

  test("that loses replies has made the change", async () => {
    await expect(begin({ do: "lose-reply" }).change()).rejects.toThrow(OutcomeUnknownError);
    expect(valid()).toBe("second-secret");
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
    await late.change();
    expect([await late.logIn(), await late.logIn(current)]).toEqual(["rejected", "rejected"]);
    time = 60_000;
    expect(await late.logIn()).toBe("accepted");
  });

  test("that flaps lets every second call through", async () => {
    const flapping = begin({ do: "flap" });
    await expect(flapping.change()).rejects.toThrow(TargetUnavailableError);
    expect(valid()).toBe("first-secret");
    await flapping.change();
    await expect(flapping.logIn()).rejects.toThrow(TargetUnavailableError);
    expect(await flapping.logIn()).toBe("accepted");
  });
});
