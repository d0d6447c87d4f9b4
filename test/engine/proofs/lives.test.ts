import { expect, test } from "vitest";
import { allKinds } from "../world.ts";
import { live } from "./lives.ts";

for (const kind of allKinds) {
  test(`Keyturn never removes a working credential during a long life of a target: ${kind.name}`, async () => {
    for (let seed = 1; seed <= (kind.mints ? 30 : 60); seed++) {
      expect(await live(kind, seed), `seed ${seed}`).toEqual([]);
    }
  });
}
