import { describe, expect, test } from "vitest";
import { second } from "../../../shared/core/time.ts";
import type { Pace, PaceStore } from "../../../shared/stores/pace.ts";
import { makeSharedPace } from "../../../shared/stores/shared-pace.ts";

/** The rules for the pace of several instances. `open` gives the store of one more instance. */
export function testPace(name: string, open: () => PaceStore): void {
  describe(`the pace, ${name}`, () => {
    let vaults = 0;
    const newVault = () => `vault-${++vaults}-${Date.now()}`;
    const started = new Date("2026-03-01T10:00:00.000Z");
    const instance = (perWindow = 100): Pace =>
      makeSharedPace(
        open(),
        () => perWindow,
        () => started,
      );

    test("gives every caller a turn, on any instance", async () => {
      const vault = newVault();
      const instances = [instance(), instance(), instance()];
      const waits = await Promise.all(
        instances.flatMap((one) =>
          Array.from({ length: 20 }, () => one.take(vault, 1, 60 * second)),
        ),
      );
      const sorted = waits.toSorted((a, b) => a - b);
      // Half a second is caught up on; after that one of them each 100 ms.
      expect(sorted.filter((wait) => wait === 0).length).toBeLessThanOrEqual(7);
      expect(sorted.at(-1)).toBeGreaterThan(5_000);
      expect(sorted.at(-1)).toBeLessThan(5_600);
    });

    test("reserves nothing for a caller that will not wait so long", async () => {
      const vault = newVault();
      const pace = instance();
      await pace.take(vault, 100, 60 * second);
      for (let asked = 0; asked < 5; asked++) {
        expect(await pace.take(vault, 2, second)).toBeGreaterThan(9 * second);
      }
      expect(await pace.take(vault, 2, 20 * second)).toBeLessThan(10 * second);
    });

    test("delays every caller while the vault throttles, for half a minute at most", async () => {
      const vault = newVault();
      const [one, other] = [instance(), instance()];
      await one.slowDown(vault, 5 * second);
      expect(await other.take(vault, 2, 60 * second)).toBe(5 * second);
      await one.slowDown(vault, second);
      expect(await other.take(vault, 2, 60 * second)).toBeGreaterThan(5 * second);
      await one.slowDown(vault, 3_600 * second);
      expect(await other.take(vault, 2, 60 * second)).toBeLessThan(31 * second);
    });

    test("handles each vault separately", async () => {
      const [vault, other] = [newVault(), newVault()];
      const pace = instance();
      await pace.take(vault, 100, 60 * second);
      expect(await pace.take(other, 2, 60 * second)).toBe(0);
    });
  });
}
