import { expect, test } from "vitest";
import { type Disturbance, disturbances } from "../engine/proofs/disturbances.ts";
import { strikeEverywhere } from "../engine/proofs/disturbed.ts";
import { givenOperations } from "../engine/proofs/operations.ts";
import { type Kind, kinds, overlapSelf } from "../engine/world.ts";

/** Without the one in which an administrator sets the secret: two people would change the account at once. */
const operations = givenOperations.filter((one) => !("after" in one));

/**
 * An import makes more calls between the check and the change than the watch forgives. A person who changes and stores the password in
 * between cannot be seen, and loses the second place of an account that changes itself.
 */
const isUnseen = (name: string, kind: Kind) =>
  kind === overlapSelf && name === "the published account is changed and stored by hand";

const fitting = ({ name, fits }: Disturbance) =>
  kinds.filter((kind) => (fits?.(kind) ?? true) && !isUnseen(name, kind));

for (const operation of operations) {
  for (const disturbance of disturbances) {
    test.each(fitting(disturbance))(
      `Keyturn loses nothing when ${disturbance.name}, at any call of an ${operation.name}: $name`,
      async (kind) => {
        expect(await strikeEverywhere(kind, disturbance, { operation })).toBeGreaterThan(15);
      },
    );
  }
}
