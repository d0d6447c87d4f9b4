import { expect, test } from "vitest";
import { allKinds } from "../world.ts";
import { otherOperations } from "./operations.ts";
import { forEveryEffect, hows } from "./stops.ts";

for (const operation of otherOperations) {
  for (const kind of allKinds.filter((one) => operation.fits?.(one) ?? true)) {
    for (const how of hows) {
      test(`Nothing is lost when a worker ${how} any one effect (${operation.name}): ${kind.name}`, async () => {
        const tried = await forEveryEffect(kind, (at) => [{ at, how }], undefined, operation);
        expect(tried).toBeGreaterThan(7);
      });
    }
  }
}
