import { expect, test } from "vitest";
import { disturbances } from "../engine/proofs/disturbances.ts";
import { strikeEverywhere } from "../engine/proofs/disturbed.ts";
import { givenOperations } from "../engine/proofs/operations.ts";
import { kinds } from "../engine/world.ts";

/** Without the one in which an administrator sets the secret: two people would change the account at once. */
const operations = givenOperations.filter((one) => !("after" in one));

for (const operation of operations) {
  for (const disturbance of disturbances) {
    test.each(kinds.filter((kind) => disturbance.fits?.(kind) ?? true))(
      `Keyturn loses nothing when ${disturbance.name}, at any call of an ${operation.name}: $name`,
      async (kind) => {
        expect(await strikeEverywhere(kind, disturbance, { operation })).toBeGreaterThan(15);
      },
    );
  }
}
