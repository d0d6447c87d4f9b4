import { type Target, toPendingName } from "../target.ts";
import { second } from "../time.ts";
import { limitWindow } from "./vault-limit.ts";

/** Messages of one sweep, spread over the time until the next sweep. */
export interface Arrivals {
  /**
   * Milliseconds until the message about the target should arrive. Undefined when its vaults have no room left before the next sweep,
   * which then sends the message.
   */
  admit(target: Target): number | undefined;
}

/**
 * Makes rotations arrive as fast as their vaults create versions (`perWindow`: versions in 10 seconds). Workers then have nothing to wait
 * for, however many instances there are, and the backlog of one vault does not stand before the targets of another in the queue.
 */
export function spreadArrivals(
  perWindow: (vault: string) => number,
  untilNextSweepMs: number,
): Arrivals {
  // Milliseconds are sums of fractions, so they are compared after rounding.
  const nextMs = new Map<string, number>();
  return {
    admit(target) {
      const vaults = [toPendingName(target).vault, target.publish.vault];
      const arrivalMs = Math.round(Math.max(...vaults.map((vault) => nextMs.get(vault) ?? 0)));
      if (arrivalMs >= untilNextSweepMs) return undefined;
      for (const vault of vaults) {
        const before = nextMs.get(vault) ?? 0;
        // Rounding must not slow the vault down.
        const from = arrivalMs - before < 1 ? before : arrivalMs;
        nextMs.set(vault, from + limitWindow / perWindow(vault));
      }
      // Queues know whole seconds, and round up.
      return Math.floor(arrivalMs / second) * second;
    },
  };
}
