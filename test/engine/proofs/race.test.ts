import { expect, test } from "vitest";
import { verifyPublished } from "../../../shared/engine/work/verify.ts";
import { allKinds, pairAdmin, singleAdmin } from "../world.ts";
import { raceOfPeople } from "./given-races.ts";
import { race } from "./races.ts";
import { engine, type Worker } from "./stops.ts";

for (const kind of allKinds) {
  test(`Workers that race for a target lose nothing: ${kind.name}`, async () => {
    for (let seed = 1; seed <= (kind.mints ? 60 : 150); seed++) {
      expect(await race(kind, seed), `seed ${seed}`).toEqual([]);
    }
  });
}

/** Before each message, a caller requests a log-in. */
const withCaller: Worker = async (ports, world) => {
  await verifyPublished(ports, world.target);
  await engine(ports, world);
};

test.each([singleAdmin, pairAdmin])(
  "Workers that race with requests to verify lose nothing: $name",
  async (kind) => {
    for (let seed = 1; seed <= 40; seed++) {
      expect(await race(kind, seed, withCaller), `seed ${seed}`).toEqual([]);
    }
  },
);

for (const kind of allKinds) {
  test(`Imports, undos, pauses, requests and reports that race with workers lose nothing: ${kind.name}`, async () => {
    for (let seed = 1; seed <= (kind.mints ? 30 : 60); seed++) {
      expect(await raceOfPeople(kind, seed), `seed ${seed}`).toEqual([]);
    }
  });
}
