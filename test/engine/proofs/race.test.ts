import { expect, test } from "vitest";
import { kinds } from "../world.ts";
import { race } from "./races.ts";

for (const kind of kinds) {
  test(`Workers that race for a target lose nothing: ${kind.name}`, async () => {
    for (let seed = 1; seed <= 150; seed++) {
      expect(await race(kind, seed), `seed ${seed}`).toEqual([]);
    }
  });
}
