import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPassword } from "../../../../shared/core/policy/checks/check-password.ts";
import { dialects, listSpecialCharacters } from "../../../../shared/core/secrets/dialects.ts";
import {
  computeFittingPart,
  countEntropyBits,
  defaultPasswordRules,
  generatePassword,
  listCharacterClasses,
  type PasswordRules,
} from "../../../../shared/core/secrets/password.ts";

const small: PasswordRules = { length: 3, symbols: "-", exclude: "" };
const lettersAB = "cdefghijklmnopqrstuvwxyzCDEFGHIJKLMNOPQRSTUVWXYZ23456789";

/** Counts the passwords by generating every text of the remaining characters. */
function countByTrying(rules: PasswordRules): { drawn: number; fitting: number } {
  const classes = listCharacterClasses(rules);
  const all = Array.from(classes.join(""));
  let texts = [""];
  while ((texts[0]?.length ?? 0) < rules.length) {
    texts = texts.flatMap((text) => all.map((character) => text + character));
  }
  const letter = /^[a-z]/i;
  const drawn = texts.filter(
    (text) =>
      (rules.startWithLetter === false || letter.test(text)) &&
      (!rules.noRepeats || new Set(text).size === text.length),
  );
  const names = ["lower", "upper", "digits", "symbols"] as const;
  const fitting = drawn.filter((text) =>
    classes.every((characters, index) => {
      const name = names[index] ?? "lower";
      const least = characters === "" ? 0 : (rules.atLeast?.[name] ?? 1);
      return Array.from(text).filter((one) => characters.includes(one)).length >= least;
    }),
  );
  return { drawn: drawn.length, fitting: fitting.length };
}

const someRules = fc
  .record(
    {
      length: fc.integer({ min: 1, max: 5 }),
      symbols: fc.constantFrom("", "-", "-_"),
      exclude: fc.constantFrom(lettersAB, `${lettersAB}A`, `${lettersAB}b1`),
      atLeast: fc.record(
        {
          lower: fc.integer({ min: 0, max: 2 }),
          upper: fc.integer({ min: 0, max: 2 }),
          digits: fc.integer({ min: 0, max: 2 }),
          symbols: fc.integer({ min: 0, max: 2 }),
        },
        { requiredKeys: [] },
      ),
      noRepeats: fc.boolean(),
      startWithLetter: fc.boolean(),
    },
    { requiredKeys: ["length", "symbols", "exclude"] },
  )
  .map((rules): PasswordRules => rules);

describe("the entropy of password rules", () => {
  it("equals the entropy of passwords counted one by one", () => {
    fc.assert(
      fc.property(someRules, (rules) => {
        const { drawn, fitting } = countByTrying(rules);
        const part = drawn === 0 ? 0 : fitting / drawn;
        expect(computeFittingPart(rules)).toBeCloseTo(part, 9);
        expect(countEntropyBits(rules)).toBe(
          fitting === 0 ? 0 : Math.floor(Math.log2(fitting) + 1e-9),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("is far above the minimum with the default rules", () => {
    expect(countEntropyBits(defaultPasswordRules)).toBe(241);
    expect(computeFittingPart(defaultPasswordRules)).toBeGreaterThan(0.9);
  });

  it("is finite for passwords of maximum length from all printable characters", () => {
    const symbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    expect(countEntropyBits({ length: 128, symbols, exclude: "" })).toBe(838);
  });
});

describe("a generated password", () => {
  const enough: PasswordRules = {
    length: 24,
    symbols: "!%@#^&*_",
    exclude: "@",
    atLeast: { lower: 3, upper: 3, digits: 4, symbols: 2 },
    noLookAlikes: true,
  };

  it("contains enough of each class and no excluded characters", () => {
    for (let index = 0; index < 200; index++) {
      const password = generatePassword(enough, ["orders"], randomBytes);
      expect(password).toHaveLength(24);
      expect(password).toMatch(/^[A-Za-z]/);
      expect(password.replaceAll(/[^a-z]/g, "").length).toBeGreaterThanOrEqual(3);
      expect(password.replaceAll(/[^A-Z]/g, "").length).toBeGreaterThanOrEqual(3);
      expect(password.replaceAll(/[^0-9]/g, "").length).toBeGreaterThanOrEqual(4);
      expect(password.replaceAll(/[^!%#^&*_]/g, "").length).toBeGreaterThanOrEqual(2);
      expect(password).not.toMatch(/[@0O1lI5S2Z8B]/);
    }
  });

  it("repeats no character with noRepeats", () => {
    for (let index = 0; index < 50; index++) {
      const password = generatePassword(
        { ...defaultPasswordRules, noRepeats: true },
        [],
        randomBytes,
      );
      expect(new Set(password).size).toBe(40);
    }
  });

  it("can start with any character if startWithLetter is false", () => {
    const rules = { ...defaultPasswordRules, startWithLetter: false };
    const starts = Array.from(
      { length: 400 },
      () => generatePassword(rules, [], randomBytes)[0] ?? "",
    );
    expect(starts.filter((start) => /[^a-zA-Z]/.test(start)).length).toBeGreaterThan(20);
  });

  it("contains no forbidden word in upper or lower case", () => {
    const rules = { length: 2, symbols: "", exclude: `${lettersAB}B01`, forbidden: ["AA", ""] };
    const none = { lower: 0, upper: 0, digits: 0 };
    const found = new Set(
      Array.from({ length: 400 }, () =>
        generatePassword({ ...rules, atLeast: none }, ["ab"], randomBytes),
      ),
    );
    expect([...found].sort()).toStrictEqual(["bA", "ba", "bb"]);
  });

  it("is as likely as any other password", () => {
    const rules = { ...small, length: 2, exclude: `${lettersAB}AB`, symbols: "" };
    const counts = new Map<string, number>();
    for (let index = 0; index < 8000; index++) {
      const password = generatePassword(rules, [], randomBytes);
      counts.set(password, (counts.get(password) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toStrictEqual(["a0", "a1", "b0", "b1"]);
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });

  it("discards bytes that would make some characters more likely", () => {
    // 26 letters fit nine times into a byte. Values from 234 are discarded.
    const rules = { length: 1, symbols: "", exclude: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" };
    const bytes = [255, 234, 233];
    const password = generatePassword(rules, [], () => new Uint8Array([bytes.shift() ?? 0]));
    expect(password).toBe("z");
    expect(bytes).toStrictEqual([]);
  });

  it("is refused if no password satisfies the rules", () => {
    const none = {
      length: 16,
      symbols: "",
      exclude: "abcdefghijklmnopqrstuvwxyz".repeat(1) + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    };
    expect(() => generatePassword(none, [], randomBytes)).toThrow(
      "the password rules exclude every character",
    );
    const all = Array.from("abcdefghijklmnopqrstuvwxyz0123456789-_.~");
    expect(() => generatePassword(defaultPasswordRules, all, randomBytes)).toThrow(
      "no password satisfies the password rules",
    );
  });

  it.each(dialects)("works in %s without quotes", (dialect) => {
    const rules: PasswordRules = {
      length: 60,
      symbols: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
      exclude: "",
      dialects: [dialect, "json"],
    };
    const survives: Record<string, (password: string) => boolean> = {
      uri: (password) =>
        new URL(`x://u:${password}@h/`).password === password &&
        encodeURIComponent(password) === password,
      json: (password) => JSON.stringify(password) === `"${password}"`,
      ado: (password) => !/['";={]/.test(password),
      odbc: (password) => !/[[\]{}(),;?*=!@]/.test(password),
      jdbc: (password) => !/[;{}&%+#?=\\"']/.test(password),
      libpq: (password) => !/['\\=]/.test(password),
      yaml: (password) => !/[!"#%&'*,:<=>?@[\]`{|}\\]/.test(password),
      shell: (password) => /^[A-Za-z0-9@%+,./:_-]*$/.test(password),
      env: (password) => !/["'#$\\`=]/.test(password),
    };
    for (let index = 0; index < 100; index++) {
      const password = generatePassword(rules, [], randomBytes);
      expect(password, password).toSatisfy(survives[dialect] ?? (() => false));
    }
    expect(listSpecialCharacters(dialect).length).toBe(
      new Set(listSpecialCharacters(dialect)).size,
    );
  });
});

describe("password rules are refused", () => {
  it.each<[string, Partial<PasswordRules>, string[]]>([
    ["never with the default rules", {}, []],
    ["never if symbols are excluded on purpose", { symbols: "" }, []],
    [
      "never if an empty class is not required",
      { exclude: "0123456789", atLeast: { digits: 0 } },
      [],
    ],
    [
      "if they leave too little entropy",
      { length: 16 },
      ["password: must leave 128 bits of entropy, but leaves 95; use length: 22"],
    ],
    [
      "if no length is enough, and suggests more characters",
      { noRepeats: true, symbols: "", length: 16, exclude: "FGHIJKLMNOPQRSTUVWXYZ0123456" },
      ["password: must leave 128 bits of entropy, but leaves 74; allow more characters"],
    ],
    ["never if they leave just enough entropy", { length: 22, exclude: "234567" }, []],
    [
      "if a class is empty, even if symbols are excluded on purpose",
      { exclude: "0123456789", symbols: "" },
      ["password.exclude: leaves no digits, which many systems require; allow some"],
    ],
    [
      "if the counts just fit, because random passwords rarely satisfy them",
      { atLeast: { lower: 37, upper: 1, digits: 1, symbols: 1 } },
      [
        "password.atLeast: excludes almost every random password; lower the counts, or use a greater length",
      ],
    ],
    [
      "if a class is empty",
      { exclude: "0123456789-_.~" },
      ["password.exclude: leaves no digits and no symbols, which many systems require; allow some"],
    ],
    [
      "if no upper-case letters are left",
      { exclude: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
      ["password.exclude: leaves no upper-case letters, which many systems require; allow some"],
    ],
    [
      "if no lower-case letters are left",
      { exclude: "abcdefghijklmnopqrstuvwxyz" },
      ["password.exclude: leaves no lower-case letters, which many systems require; allow some"],
    ],
    [
      "never if random passwords satisfy the counts often enough",
      { length: 40, atLeast: { lower: 10, upper: 10, digits: 3, symbols: 1 } },
      [],
    ],
    [
      "if a dialect leaves no symbols",
      { symbols: "=;", dialects: ["ado"] },
      ["password.dialects: leaves no symbols, which many systems require; allow some"],
    ],
    [
      "if symbols are required but none are left",
      { symbols: "", atLeast: { symbols: 1 } },
      ["password.exclude: leaves no symbols, which many systems require; allow some"],
    ],
    [
      "if no letter is left to start with",
      { exclude: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" },
      [
        "password.startWithLetter: cannot be satisfied, because no letters are left; allow some letters",
      ],
    ],
    [
      "if letters are missing that are not needed at the start",
      {
        startWithLetter: false,
        length: 128,
        exclude: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        atLeast: { lower: 0, upper: 0 },
      },
      [],
    ],
    [
      "if the counts exceed the length",
      { length: 20, atLeast: { lower: 10, upper: 10 } },
      ["password.atLeast: requires 22 characters, but length is 20"],
    ],
    [
      "if there are not enough different characters",
      { length: 67, noRepeats: true },
      ["password.noRepeats: requires 67 different characters, but the rules leave 66"],
    ],
    ["never if there are just enough different characters", { length: 66, noRepeats: true }, []],
    [
      "if random passwords rarely satisfy them",
      { length: 40, atLeast: { digits: 20 } },
      [
        "password.atLeast: excludes almost every random password; lower the counts, or use a greater length",
      ],
    ],
  ])("%s", (_, rules, expected) => {
    const found = checkPassword({ ...defaultPasswordRules, ...rules });
    expect(found.map(({ path, message }) => `${path.join(".")}: ${message}`)).toStrictEqual(
      expected,
    );
    for (const { severity } of found) expect(severity).toBe("error");
  });
});
