import { expect, test } from "vitest";
import { kinds } from "../world.ts";
import { live } from "./lives.ts";

for (const kind of kinds) {
  test(`whatever happens in the life of a target, Keyturn takes nothing away: ${kind.name}`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      expect(await live(kind, seed), `seed ${seed}`).toEqual([]);
    }
  });
}
