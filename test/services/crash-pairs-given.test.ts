import { expect, test } from "vitest";
import { givenOperations } from "../engine/proofs/operations.ts";
import { forEveryEffect, type How } from "../engine/proofs/stops.ts";
import { kinds } from "../engine/world.ts";

const hows: readonly How[] = ["dies after", "loses the reply of"];
const pairs = hows.flatMap((first) => hows.map((second) => ({ first, second })));

// As many rotations as in `crash-pairs.test.ts`, for each operation.
for (const operation of givenOperations) {
  for (const kind of kinds) {
    test.each(pairs)(
      `Nothing is lost when a worker $first any effect of an ${operation.name} and then $second any other: ${kind.name}`,
      async ({ first, second }) => {
        let tried = 0;
        for (let at = 1; ; at++) {
          const stopsAt = (n: number) => [
            { at, how: first },
            { at: n, how: second },
          ];
          const seconds = await forEveryEffect(kind, stopsAt, undefined, operation);
          tried += seconds;
          if (seconds === 0) break;
        }
        expect(tried).toBeGreaterThan(50);
      },
    );
  }
}
