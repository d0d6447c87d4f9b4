import { expect, test } from "vitest";
import { forEveryEffect, type How } from "./stops.ts";
import { kinds } from "./world.ts";

const hows: readonly How[] = ["dies before", "dies after", "loses the reply of"];

for (const kind of kinds) {
  for (const how of hows) {
    test(`nothing is lost when a worker ${how} any one effect: ${kind.name}`, async () => {
      const tried = await forEveryEffect(kind, (at) => [{ at, how }]);
      expect(tried).toBeGreaterThan(20);
    });
  }

  for (const first of hows.slice(1)) {
    for (const second of hows.slice(1)) {
      test(`nor when it ${first} one effect and then ${second} another: ${kind.name}`, async () => {
        let tried = 0;
        for (let at = 1; ; at++) {
          const seconds = await forEveryEffect(kind, (n) => [
            { at, how: first },
            { at: n, how: second },
          ]);
          tried += seconds;
          if (seconds === 0) break;
        }
        expect(tried).toBeGreaterThan(200);
      });
    }
  }
}
