import { expect, test } from "vitest";
import { disturbances } from "../engine/proofs/disturbances.ts";
import { rotateDisturbed } from "../engine/proofs/disturbed.ts";
import { kinds } from "../engine/world.ts";

for (const disturbance of disturbances) {
  test.each(kinds.filter((kind) => disturbance.fits?.(kind) ?? true))(
    `Keyturn loses nothing when ${disturbance.name}, at any call: $name`,
    async (kind) => {
      let struckAt = 0;
      for (let at = 1; ; at++) {
        const { struck, broken } = await rotateDisturbed(kind, disturbance, at);
        if (!struck) break;
        struckAt = at;
        expect(broken, `before call ${at}`).toEqual([]);
      }
      expect(struckAt).toBeGreaterThan(20);
    },
  );
}
