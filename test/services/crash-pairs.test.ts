import { expect, test } from "vitest";
import { forEveryEffect, type How } from "../engine/proofs/stops.ts";
import { kinds } from "../engine/world.ts";

const hows: readonly How[] = ["dies after", "loses the reply of"];

// Each test makes some thousand rotations, too many for the fast tests, although it needs no server.
for (const kind of kinds) {
  for (const first of hows) {
    for (const second of hows) {
      test(`nothing is lost when a worker ${first} any effect and then ${second} any other: ${kind.name}`, async () => {
        let tried = 0;
        for (let at = 1; ; at++) {
          const seconds = await forEveryEffect(kind, (n) => [
            { at, how: first },
            { at: n, how: second },
          ]);
          tried += seconds;
          if (seconds === 0) break;
        }
        expect(tried).toBeGreaterThan(100);
      });
    }
  }
}
