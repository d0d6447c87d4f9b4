import { expect, test } from "vitest";
import { otherOperations } from "../engine/proofs/operations.ts";
import { forEveryPair, pairsOfHows } from "../engine/proofs/stops.ts";
import { kinds } from "../engine/world.ts";

// As many rotations as in `crash-pairs.test.ts`, for each operation.
for (const operation of otherOperations) {
  for (const kind of kinds.filter((one) => operation.fits?.(one) ?? true)) {
    test.each(pairsOfHows)(
      `Nothing is lost when a worker $first any effect (${operation.name}) and then $second any other: ${kind.name}`,
      async (pair) => {
        expect(await forEveryPair(kind, pair, operation)).toBeGreaterThan(50);
      },
    );
  }
}
