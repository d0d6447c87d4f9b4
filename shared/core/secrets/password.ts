import { isBarePassword } from "../payload/structure.ts";
import { type Dialect, listSpecialCharacters } from "./dialects.ts";

export const characterClassNames = ["lower", "upper", "digits", "symbols"] as const;
export type CharacterClass = (typeof characterClassNames)[number];

/** What a generated password must look like. */
export interface PasswordRules {
  /** Characters, 16 to 128. */
  readonly length: number;
  /** Symbols that may occur besides letters and digits. */
  readonly symbols: string;
  /** Characters that must not occur. */
  readonly exclude: string;
  /** The minimum number of characters of a class; one when absent. A class that the rules leave empty has no minimum. */
  readonly atLeast?: Readonly<Partial<Record<CharacterClass, number>>>;
  /** Leaves out characters that look alike in print, such as `l`, `1` and `I`. */
  readonly noLookAlikes?: boolean;
  /** No character occurs twice. */
  readonly noRepeats?: boolean;
  /** True when absent, because several systems require it. */
  readonly startWithLetter?: boolean;
  /** Words that must not occur, whatever their case, besides the account's name. */
  readonly forbidden?: readonly string[];
  /** Connection strings that the password must survive without being quoted. */
  readonly dialects?: readonly Dialect[];
}

/** These passwords need no quotes in a shell, a URI, YAML, or any connection string. */
export const defaultPasswordRules: PasswordRules = { length: 40, symbols: "-_.~", exclude: "" };

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const digits = "0123456789";
const lookAlikes = "0O1lI|5S2Z8B";

/** The characters of each class that the rules leave; a class may be empty. */
export function listCharacterClasses(rules: PasswordRules): string[] {
  const left = rules.exclude + (rules.noLookAlikes ? lookAlikes : "");
  const special = (rules.dialects ?? []).map(listSpecialCharacters).join("");
  const excluded = left + special;
  // A word of one character is that character, in either case.
  const words = (rules.forbidden ?? []).map((word) => word.toLowerCase());
  const isLeft = (character: string) =>
    !excluded.includes(character) && !words.includes(character.toLowerCase());
  return [lower, upper, digits, rules.symbols].map((characters) =>
    [...new Set(characters)].filter(isLeft).join(""),
  );
}

/** How many characters of each class a password must have. */
export function listMinimums(
  { atLeast = {} }: PasswordRules,
  classes: readonly string[],
): number[] {
  return characterClassNames.map((name, index) =>
    classes[index] === "" ? 0 : (atLeast[name] ?? 1),
  );
}

/** A cache, because thousands of targets share the rules of a policy. */
const knownBits = new WeakMap<PasswordRules, number>();

/** Lower bound of the entropy in bits, without regard to forbidden words of two or more characters and texts that look like JSON. */
export function countEntropyBits(rules: PasswordRules): number {
  const known = knownBits.get(rules);
  if (known !== undefined) return known;
  const { fitting } = countPasswords(rules);
  const bits = Math.max(0, Math.floor(Math.log2(fitting)));
  knownBits.set(rules, bits);
  return bits;
}

/** The share of drawn passwords that satisfy the rules; the others are rejected. */
export function computeFittingPart(rules: PasswordRules): number {
  const { fitting, drawn } = countPasswords(rules);
  return drawn === 0 ? 0 : fitting / drawn;
}

/**
 * How many passwords there are to draw from, and how many of those have enough characters of each class. Even 128 of 94 characters
 * stay below the largest number.
 */
function countPasswords(rules: PasswordRules): { fitting: number; drawn: number } {
  const classes = listCharacterClasses(rules);
  const sizes = classes.map((characters) => characters.length);
  const least = listMinimums(rules, classes);
  const count = (wanted: readonly number[]) => {
    if (rules.startWithLetter === false) return arrangements(sizes, wanted, rules.length, rules);
    // The first character is a letter of either kind and counts for its class.
    return [0, 1].reduce((sum, first) => {
      const others = sizes.map((size, at) => (at === first && rules.noRepeats ? size - 1 : size));
      const missing = wanted.map((one, at) => (at === first ? Math.max(0, one - 1) : one));
      const size = sizes[first] ?? 0;
      return sum + size * arrangements(others, missing, rules.length - 1, rules);
    }, 0);
  };
  return { fitting: count(least), drawn: count(least.map(() => 0)) };
}

/** The number of texts of this length with at least that many characters of each class. */
function arrangements(
  sizes: readonly number[],
  least: readonly number[],
  length: number,
  { noRepeats = false }: PasswordRules,
): number {
  let ways = new Float64Array(length + 1);
  ways[0] = 1;
  for (const [index, size] of sizes.entries()) {
    const next = new Float64Array(length + 1);
    for (const [filled, before] of ways.entries()) {
      // The characters of this class, and where they stand among those filled so far.
      let choices = before;
      for (let count = 0; filled + count <= length; count++) {
        if (count >= (least[index] ?? 0))
          next[filled + count] = (next[filled + count] ?? 0) + choices;
        choices *= ((filled + count + 1) / (count + 1)) * (noRepeats ? size - count : size);
      }
    }
    ways = next;
  }
  return ways[length] ?? 0;
}

/**
 * Generates a password that satisfies the rules and contains none of the forbidden words, in any case.
 * `randomBytes` must be cryptographically strong.
 */
export function generatePassword(
  rules: PasswordRules,
  forbidden: readonly string[],
  randomBytes: (count: number) => Uint8Array,
): string {
  const password = drawPassword(rules, forbidden, randomBytes, 10_000);
  if (password === undefined) {
    throw new RangeError("no password satisfies the password rules");
  }
  return password;
}

/** Undefined when none of the candidates satisfies the rules. */
export function drawPassword(
  rules: PasswordRules,
  forbidden: readonly string[],
  randomBytes: (count: number) => Uint8Array,
  maxTries: number,
): string | undefined {
  const classes = listCharacterClasses(rules);
  const words = [...forbidden, ...(rules.forbidden ?? [])].filter((word) => word !== "");
  // Candidates are rejected as a whole and never repaired, because repairs would make some passwords more likely than others.
  for (let tries = 0; tries < maxTries; tries++) {
    const candidate = draw(rules, classes, randomBytes);
    // Published alone, the password must not look like JSON, a URL or similar to any reader, including Keyturn.
    const fits = hasEnough(candidate, classes, listMinimums(rules, classes));
    if (fits && !hasWord(candidate, words) && isBarePassword(candidate)) return candidate;
  }
  return undefined;
}

function draw(
  rules: PasswordRules,
  classes: readonly string[],
  randomBytes: (count: number) => Uint8Array,
): string {
  const all = classes.join("");
  const letters = classes.slice(0, 2).join("");
  let drawn = pick(rules.startWithLetter === false ? all : letters, 1, randomBytes);
  if (!rules.noRepeats) return drawn + pick(all, rules.length - 1, randomBytes);
  while (drawn.length < rules.length) {
    const left = Array.from(all).filter((character) => !drawn.includes(character));
    drawn += pick(left.join(""), 1, randomBytes);
  }
  return drawn;
}

function hasEnough(
  candidate: string,
  classes: readonly string[],
  least: readonly number[],
): boolean {
  return classes.every((characters, index) => {
    const found = Array.from(candidate).filter((one) => characters.includes(one)).length;
    return found >= (least[index] ?? 0);
  });
}

function hasWord(candidate: string, words: readonly string[]): boolean {
  const lowered = candidate.toLowerCase();
  return words.some((word) => lowered.includes(word.toLowerCase()));
}

const maxDraws = 1_000;

/** Bytes beyond the largest multiple of the alphabet are discarded, because taking them modulo would be biased. */
function pick(alphabet: string, count: number, randomBytes: (count: number) => Uint8Array): string {
  if (alphabet.length === 0) throw new RangeError("the password rules exclude every character");
  const limit = 256 - (256 % alphabet.length);
  let picked = "";
  for (let draws = 0; picked.length < count; draws++) {
    // At least half of all bytes are usable, so the source is stuck.
    if (draws > maxDraws)
      throw new RangeError("the source of random bytes returned no usable bytes");
    for (const byte of randomBytes(count - picked.length)) {
      if (byte < limit) picked += alphabet.charAt(byte % alphabet.length);
    }
  }
  return picked;
}
