import { expect, test } from "vitest";
import { minute } from "../../../shared/core/time.ts";
import { mintedKinds } from "../world.ts";
import { delays, rotateLate } from "./late.ts";

test.each(mintedKinds)(
  "A request whose answer is lost and which takes effect late harms nobody: $name",
  async (kind) => {
    for (const after of delays) {
      const { requests } = await rotateLate(kind, []);
      for (let at = 1; at <= requests; at++) {
        const { broken, world } = await rotateLate(kind, [{ at, after }]);
        const what = `request ${at} takes effect after ${after} ms`;
        expect(broken, what).toEqual([]);
        const left = at <= requests - 2 ? (world.system.minted.get("app") ?? []).length : 0;
        expect(left, `secrets that are left: ${what}`).toBeLessThanOrEqual(1);
      }
    }
  },
);

test.each(mintedKinds)(
  "Neither does it if the vault has stored a secret without an answer: $name",
  async (kind) => {
    for (let losesWrite = 1; losesWrite <= 4; losesWrite++) {
      for (let at = 1; at <= 5; at++) {
        const { broken } = await rotateLate(kind, [{ at, after: 5 * minute }], { losesWrite });
        expect(broken, `write ${losesWrite}, request ${at}`).toEqual([]);
      }
    }
  },
);

test.each(mintedKinds)("Neither do two of them: $name", async (kind) => {
  for (const after of delays) {
    for (let at = 1; at <= 5; at++) {
      for (let next = at + 1; next <= at + 2; next++) {
        const lates = [
          { at, after },
          { at: next, after: delays[(delays.indexOf(after) + 1) % delays.length] ?? after },
        ];
        const { broken } = await rotateLate(kind, lates);
        expect(broken, JSON.stringify(lates)).toEqual([]);
      }
    }
  }
});
