import fc from "fast-check";
import { expect, test } from "vitest";
import { shorten } from "../../shared/core/shorten.ts";

test("a text that is short enough stays as it is", () => {
  expect(shorten("abc", 3)).toBe("abc");
  expect(shorten("", 3)).toBe("");
});

test("a longer text is cut to its beginning", () => {
  expect(shorten("abcd", 3)).toBe("abc");
});

test("a surrogate pair is never cut in two", () => {
  expect(shorten("a👋👋", 2)).toBe("a");
  expect(shorten("a👋👋", 3)).toBe("a👋");
  expect(shorten("a👋👋", 4)).toBe("a👋");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 20 }), (text, most) => {
      const short = shorten(text, most);
      expect(short.length).toBeLessThanOrEqual(most);
      expect(short.isWellFormed()).toBe(text.isWellFormed());
    }),
  );
});
