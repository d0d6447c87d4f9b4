import { expect, test } from "vitest";
import { kinds } from "../world.ts";
import { givenOperations } from "./operations.ts";
import { forEveryEffect, type How } from "./stops.ts";

const hows: readonly How[] = ["dies before", "dies after", "loses the reply of"];

for (const operation of givenOperations) {
  for (const kind of kinds) {
    for (const how of hows) {
      test(`Nothing is lost when a worker ${how} any one effect of an ${operation.name}: ${kind.name}`, async () => {
        const tried = await forEveryEffect(kind, (at) => [{ at, how }], undefined, operation);
        expect(tried).toBeGreaterThan(7);
      });
    }
  }
}
