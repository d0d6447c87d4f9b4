import { expect, test } from "vitest";
import { simulateFleet } from "../../scripts/bench/fleet/simulate-fleet.ts";
import { simulatedClock } from "../../scripts/bench/fleet/simulated-clock.ts";
import { simulatedVault } from "../../scripts/bench/fleet/simulated-vault.ts";
import { VaultUnavailableError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";

test("simulated time jumps to the next wake-up, and a deadline ends a sleep", async () => {
  const clock = simulatedClock(1_000);
  const seen: string[] = [];
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    seen.push(`${name} ${clock.now()}`);
  };
  void sleep("late", 900);
  void sleep("early", 20);
  void sleep("middle", 300).then(() => sleep("again", 100));
  const signal = clock.deadline(50);
  const late = clock.sleepWithin(80, signal, () => new Error(`late at ${clock.now()}`));
  const failed = expect(late).rejects.toThrow("late at 1050");
  await clock.run(() => false);
  await failed;
  expect(signal.aborted).toBe(true);
  expect(seen).toEqual(["early 1020", "middle 1300", "again 1400", "late 1900"]);
});

const small = { targets: 40, instances: 2, vaults: 2, seed: 7, say: () => undefined };

test("every target of a simulated fleet is rotated once, and no password stays unpublished", async () => {
  const { done, gaps, messages, vaultCreates, throttled } = await simulateFleet(small);
  expect([done, gaps.length, throttled]).toEqual([40, 40, 0]);
  expect(gaps.every(({ isOver }) => isOver)).toBe(true);
  expect(messages).toBeGreaterThanOrEqual(40);
  expect(vaultCreates).toBeGreaterThanOrEqual(40);
});

test("the same seed gives the same run", async () => {
  const [one, other] = [await simulateFleet(small), await simulateFleet(small)];
  expect({ ...other, cpuMs: 0 }).toEqual({ ...one, cpuMs: 0 });
});

test("a simulated vault makes no more versions in ten seconds than its limit, and refuses the others", async () => {
  const clock = simulatedClock(0);
  const writtenAt: number[] = [];
  let versions = 0;
  const main = simulatedVault({
    ...{ name: "main", clock, latency: (median: number) => median },
    newVersion: () => `v${++versions}`,
    onWritten: () => writtenAt.push(clock.now()),
  });
  const content = { value: new Secret("x"), contentType: "text/plain", tags: {} };
  let refused = 0;
  for (let index = 0; index < 400; index++) {
    const write = main.remote.write(`secret-${index}`, content, clock.deadline(20_000));
    void write.catch(
      (error: unknown) => (refused += Number(error instanceof VaultUnavailableError)),
    );
  }
  await clock.run(() => false);
  expect(writtenAt.filter((at) => at < 10_000)).toHaveLength(300);
  // The vault requests a wait of ten seconds, so the client stops at once.
  expect([refused, main.throttled()]).toEqual([100, 100]);
});
