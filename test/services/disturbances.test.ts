import { expect, test } from "vitest";
import { disturbances } from "../engine/proofs/disturbances.ts";
import { strikeEverywhere } from "../engine/proofs/disturbed.ts";
import { kinds, overlapSelf } from "../engine/world.ts";

for (const disturbance of disturbances) {
  // A person who changes and stores the password between the check and the change cannot be seen by an account that changes itself.
  const isByHand = disturbance.name === "the published account is changed and stored by hand";
  const seen = kinds.filter((kind) => !isByHand || kind !== overlapSelf);
  test.each(seen.filter((kind) => disturbance.fits?.(kind) ?? true))(
    `Keyturn loses nothing when ${disturbance.name}, at any call: $name`,
    async (kind) => {
      expect(await strikeEverywhere(kind, disturbance)).toBeGreaterThan(20);
    },
  );
}
