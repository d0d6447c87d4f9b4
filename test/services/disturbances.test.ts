import { expect, test } from "vitest";
import { disturbances } from "../engine/proofs/disturbances.ts";
import { strikeEverywhere } from "../engine/proofs/disturbed.ts";
import { allKinds } from "../engine/world.ts";

for (const disturbance of disturbances) {
  test.each(allKinds.filter((kind) => disturbance.fits?.(kind) ?? true))(
    `Keyturn loses nothing when ${disturbance.name}, at any call: $name`,
    async (kind) => {
      expect(await strikeEverywhere(kind, disturbance)).toBeGreaterThan(20);
    },
  );
}
