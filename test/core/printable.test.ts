import fc from "fast-check";
import { expect, it } from "vitest";
import { toPrintable, toPrintableLines } from "../../shared/core/printable.ts";

it.each([
  ["an escape sequence", "a\u001b[31mb", String.raw`a\u001b[31mb`],
  ["a line break", "a\nb", String.raw`a\u000ab`],
  ["C1 controls", "a\u009bb", String.raw`a\u009bb`],
  ["a text that runs backwards", "a\u202eb\u2066", String.raw`a\u202eb\u2066`],
  ["separators of lines and paragraphs", "a\u2028\u2029", String.raw`a\u2028\u2029`],
  ["what nobody sees", "a\u200b\ufeff", String.raw`a\u200b\ufeff`],
  ["half of a surrogate pair", "a\ud83d", String.raw`a\ud83d`],
  ["an ordinary text", "Ärger 世界 \u{1f511} 100%", "Ärger 世界 \u{1f511} 100%"],
])("A terminal is shown %s", (_what, text, shown) => {
  expect(toPrintable(text)).toBe(shown);
});

it("No text controls a terminal, and intended line breaks stay", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(toPrintable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(toPrintableLines(text).split("\n")).toEqual(text.split("\n").map(toPrintable));
    }),
  );
});
