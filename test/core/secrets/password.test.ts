import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countEntropyBits,
  defaultPasswordRules,
  generatePassword,
  listCharacterClasses,
  type PasswordRules,
} from "../../../shared/core/secrets/password.ts";

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const digits = "0123456789";
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/** The same bytes for the same seed on every machine. */
function seeded(seed: string): (count: number) => Uint8Array {
  let block = 0;
  let stock = Buffer.alloc(0);
  return (count) => {
    while (stock.length < count) {
      const next = createHash("sha512").update(`${seed}/${block++}`).digest();
      stock = Buffer.concat([stock, next]);
    }
    const taken = stock.subarray(0, count);
    stock = stock.subarray(count);
    return taken;
  };
}

const some = (characters: string) =>
  fc
    .array(fc.constantFrom(...Array.from(characters)), { maxLength: 40 })
    .map((list) => list.join(""));

const arbitraryRules: fc.Arbitrary<PasswordRules> = fc.record({
  length: fc.integer({ min: 16, max: 128 }),
  symbols: some(punctuation),
  exclude: some(lower.slice(0, 20) + upper.slice(0, 20) + digits.slice(0, 6) + punctuation),
});

/** The deviation from equal probability, in standard deviations of the chi-square distribution. */
function deviation(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chi = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  const freedom = counts.length - 1;
  return (chi - freedom) / Math.sqrt(2 * freedom);
}

function tally(drawn: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of drawn) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

describe("a generated password", () => {
  it("has its length, starts with a letter, and holds each class and nothing excluded", () => {
    fc.assert(
      fc.property(arbitraryRules, fc.string(), (rules, seed) => {
        const password = generatePassword(rules, [], seeded(seed));
        expect(password).toHaveLength(rules.length);
        expect(password).toMatch(/^[A-Za-z]/);
        const classes = listCharacterClasses(rules);
        for (const one of classes.filter((characters) => characters !== "")) {
          expect(Array.from(password).some((character) => one.includes(character))).toBe(true);
        }
        const allowed = classes.join("");
        expect(Array.from(password).filter((character) => !allowed.includes(character))).toEqual(
          [],
        );
        expect(
          Array.from(password).filter((character) => rules.exclude.includes(character)),
        ).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("never contains the name of its account, in any case", () => {
    const rules = {
      length: 8,
      symbols: "",
      exclude: lower.slice(2) + upper.slice(2) + digits.slice(1),
    };
    const draw = seeded("forbidden");
    const words = ["Ab", "0B", ""];
    for (let tries = 0; tries < 500; tries++) {
      expect(generatePassword(rules, words, draw)).not.toMatch(/ab|0b/i);
    }
    const free = Array.from({ length: 50 }, () => generatePassword(rules, [""], draw));
    expect(free.some((password) => /ab|0b/i.test(password))).toBe(true);
  });

  it("is drawn from all possible ones with equal probability", () => {
    const rules = {
      length: 4,
      symbols: "",
      exclude: lower.slice(2) + upper.slice(1) + digits.slice(1),
    };
    const draw = seeded("all");
    const counts = tally(Array.from({ length: 30_000 }, () => generatePassword(rules, [], draw)));
    const alphabet = ["a", "b", "A", "0"];
    const possible = ["a", "b", "A"]
      .flatMap((one) => alphabet.map((two) => one + two))
      .flatMap((two) => alphabet.map((three) => two + three))
      .flatMap((three) => alphabet.map((four) => three + four))
      .filter((text) => /[ab]/.test(text) && text.includes("A") && text.includes("0"));
    expect([...counts.keys()].sort()).toEqual(possible.sort());
    expect(Math.abs(deviation([...counts.values()]))).toBeLessThan(5);
  });

  it.each([
    ["first", (password: string) => password.slice(0, 1), upper + lower],
    ["later", (password: string) => password.slice(1), undefined],
  ])("favours no %s character over another of its class", (_place, part, only) => {
    const draw = seeded("classes");
    let drawn = "";
    for (let tries = 0; tries < 3_000; tries++) {
      drawn += part(generatePassword(defaultPasswordRules, [], draw));
    }
    const counts = tally(drawn);
    for (const characters of only ? [lower, upper] : [lower, upper, digits, "-_.~"]) {
      const found = Array.from(characters).map((character) => counts.get(character) ?? 0);
      expect(Math.abs(deviation(found)), characters).toBeLessThan(5);
    }
  });

  it("gives every character the same number of bytes, and discards the rest", () => {
    const used = new Map<string, number>();
    const spent = new Error("one byte and no more");
    for (let byte = 0; byte < 256; byte++) {
      let left = 1;
      const once = () => {
        if (left-- === 0) throw spent;
        return Uint8Array.of(byte);
      };
      try {
        const only = { length: 1, symbols: "", exclude: upper + digits };
        const letter = generatePassword(only, [], once);
        used.set(letter, (used.get(letter) ?? 0) + 1);
      } catch (error) {
        expect(error).toBe(spent);
      }
    }
    expect(used.size).toBe(26);
    expect(new Set(used.values())).toEqual(new Set([9]));
  });

  it("still satisfies the rules when the bytes are badly distributed", () => {
    const bytes = seeded("skewed");
    const low = (count: number) => bytes(count).map((byte) => (byte < 200 ? byte % 130 : byte));
    const password = generatePassword(defaultPasswordRules, [], low);
    expect(password).toMatch(/^[A-Za-z](?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[-_.~])[-\w.~]{39}$/);
  });

  it.each([0, 1, 197, 255])("is not made at all when all bytes are %i", (byte) => {
    const stuck = (count: number) => new Uint8Array(count).fill(byte);
    expect(() => generatePassword(defaultPasswordRules, [], stuck)).toThrow(RangeError);
  });

  it("is not made at all when there are no bytes", () => {
    expect(() => generatePassword(defaultPasswordRules, [], () => new Uint8Array(0))).toThrow(
      new RangeError("the source of random bytes returned no usable bytes"),
    );
  });
});

describe("password rules", () => {
  it("use symbols and exclusions literally, not as patterns", () => {
    const rules = { length: 16, symbols: "]^-\\[.*+?", exclude: "^$.[a-z]" };
    expect(listCharacterClasses(rules)).toEqual([lower.slice(1, 25), upper, digits, "\\*+?"]);
  });

  it("leave out the special characters of all dialects, and nothing else", () => {
    const symbols = "'\";=!-";
    const rules = { length: 16, symbols, exclude: "", dialects: ["ado", "odbc"] as const };
    expect(listCharacterClasses(rules)).toEqual([lower, upper, digits, "-"]);
    expect(listCharacterClasses({ ...rules, dialects: ["ado"] })[3]).toBe("!-");
  });

  it("count a symbol once however often it is named", () => {
    const rules = { length: 16, symbols: "--~-~", exclude: "" };
    expect(listCharacterClasses(rules)[3]).toBe("-~");
    expect(countEntropyBits(rules)).toBe(countEntropyBits({ ...rules, symbols: "~-" }));
  });

  it.each<[string, PasswordRules, string[]]>([
    ["no letter", { length: 16, symbols: "-", exclude: lower + upper }, []],
    ["nothing at all", { length: 16, symbols: "", exclude: lower + upper + digits }, []],
    ["less room than classes", { length: 3, symbols: "-", exclude: "" }, []],
    [
      "only forbidden words",
      { length: 16, symbols: "", exclude: lower.slice(1) + upper + digits },
      ["A"],
    ],
  ])("that leave %s are refused", (_what, rules, words) => {
    expect(() => generatePassword(rules, words, seeded("impossible"))).toThrow(RangeError);
  });

  it("never claim more entropy than there are passwords", () => {
    const few = lower.slice(2) + upper.slice(1) + digits.slice(2);
    for (const [exclude, symbols, length] of [
      [few, "", 4],
      [few, "-", 5],
      [few + "a", "-.", 5],
      [lower + upper.slice(3) + digits, "-", 3],
      [lower + upper + digits, "-", 5],
      [lower + upper.slice(1) + digits, "", 5],
      [few, "-", 2],
    ] as const) {
      const rules = { length, symbols, exclude };
      const possible = enumerate(rules);
      const bits = countEntropyBits(rules);
      expect(2 ** bits).toBeLessThanOrEqual(Math.max(1, possible));
      if (possible > 0) expect(2 ** (bits + 1)).toBeGreaterThan(possible);
    }
  });

  it("as they are by default leave far more than 128 bits", () => {
    expect(countEntropyBits(defaultPasswordRules)).toBe(241);
  });
});

function enumerate(rules: PasswordRules): number {
  const classes = listCharacterClasses(rules).filter((one) => one !== "");
  const all = Array.from(classes.join(""));
  let words = all.filter((one) => /[A-Za-z]/.test(one));
  for (let at = 1; at < rules.length; at++)
    words = words.flatMap((word) => all.map((one) => word + one));
  return words.filter((word) =>
    classes.every((one) => Array.from(word).some((c) => one.includes(c))),
  ).length;
}
