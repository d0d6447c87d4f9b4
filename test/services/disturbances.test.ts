import { expect, test } from "vitest";
import { disturbances } from "../engine/proofs/disturbances.ts";
import { strikeEverywhere } from "../engine/proofs/disturbed.ts";
import { allKinds, type Kind } from "../engine/world.ts";

/** Of the systems that create their secrets, one is enough here: random lives try all of them. */
const tried = allKinds.filter(({ mints = "silent" }: Kind) => mints === "silent");

for (const disturbance of disturbances) {
  test.each(tried.filter((kind) => disturbance.fits?.(kind) ?? true))(
    `Keyturn loses nothing when ${disturbance.name}, at any call: $name`,
    async (kind) => {
      expect(await strikeEverywhere(kind, disturbance)).toBeGreaterThan(20);
    },
  );
}
