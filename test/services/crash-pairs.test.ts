import { expect, test } from "vitest";
import { forEveryPair, pairsOfHows } from "../engine/proofs/stops.ts";
import { kinds, severalSingle } from "../engine/world.ts";

// Each test makes some thousand rotations, too many for the fast tests, although it needs no server.
for (const kind of [...kinds, severalSingle]) {
  test.each(pairsOfHows)(
    `nothing is lost when a worker $first any effect and then $second any other: ${kind.name}`,
    async (pair) => {
      expect(await forEveryPair(kind, pair)).toBeGreaterThan(100);
    },
  );
}
