import { expect, test } from "vitest";
import { mintedKinds } from "../world.ts";
import { delays, rotateLate } from "./late.ts";

test.each(mintedKinds)(
  "A request whose answer is lost and which takes effect late harms nobody: $name",
  async (kind) => {
    for (const after of delays) {
      const { requests } = await rotateLate(kind, []);
      for (let at = 1; at <= requests; at++) {
        const { broken } = await rotateLate(kind, [{ at, after }]);
        expect(broken, `request ${at} takes effect after ${after} ms`).toEqual([]);
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
