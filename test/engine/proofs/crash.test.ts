import { expect, test } from "vitest";
import { allKinds } from "../world.ts";
import { forEveryEffect, hows } from "./stops.ts";

for (const kind of allKinds) {
  for (const how of hows) {
    test(`Nothing is lost when a worker ${how} any one effect: ${kind.name}`, async () => {
      const tried = await forEveryEffect(kind, (at) => [{ at, how }]);
      expect(tried).toBeGreaterThan(12);
    });
  }
}
