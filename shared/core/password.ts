/** What a generated password must look like. */
export interface PasswordRules {
  /** Characters, 16 to 128. */
  readonly length: number;
  /** Symbols that may occur besides letters and digits. */
  readonly symbols: string;
  /** Characters that must not occur. */
  readonly exclude: string;
}

/** Quoted nowhere: in a shell, a URI, YAML, or any connection string. */
export const defaultPasswordRules: PasswordRules = { length: 40, symbols: "-_.~", exclude: "" };

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const digits = "0123456789";

/** The characters of each class that the rules leave; a class may be empty. */
export function characterClasses(rules: PasswordRules): string[] {
  return [lower, upper, digits, rules.symbols].map((characters) =>
    [...new Set(characters)].filter((character) => !rules.exclude.includes(character)).join(""),
  );
}

/**
 * The entropy in whole bits, rounded down: every password that starts with a letter and holds every class is equally
 * likely. What forbidden words take away is left out: with ordinary rules a small part of a bit, except for a word
 * of one character.
 */
export function entropyBits(rules: PasswordRules): number {
  const sizes = characterClasses(rules).map((characters) => BigInt(characters.length));
  return Math.max(0, countPasswords(sizes, rules.length).toString(2).length - 1);
}

/** By inclusion and exclusion: those without a class are taken away, those without two were taken away twice … */
function countPasswords(sizes: readonly bigint[], length: number): bigint {
  const used = sizes.flatMap((size, index) => (size > 0n ? [index] : []));
  let count = 0n;
  for (let left = 0; left < 2 ** used.length; left++) {
    const kept = used.filter((_, bit) => (left & (1 << bit)) === 0);
    const sum = (indexes: number[]) => indexes.reduce((all, at) => all + (sizes[at] ?? 0n), 0n);
    const ways = sum(kept.filter((index) => index < 2)) * sum(kept) ** BigInt(length - 1);
    count += (used.length - kept.length) % 2 === 0 ? ways : -ways;
  }
  return count;
}

/**
 * A password that starts with a letter, holds every class that is not empty, and does not contain one of the
 * forbidden words (whatever their case). `randomBytes` must be cryptographically strong.
 */
export function generatePassword(
  rules: PasswordRules,
  forbidden: readonly string[],
  randomBytes: (count: number) => Uint8Array,
): string {
  const classes = characterClasses(rules).filter((characters) => characters.length > 0);
  const all = classes.join("");
  const letters = Array.from(all)
    .filter((character) => /[a-z]/i.test(character))
    .join("");
  // Whole candidates are drawn and refused, never mended: mending would make some passwords likelier than others.
  for (let tries = 0; tries < 10_000; tries++) {
    const candidate =
      pick(letters, 1, randomBytes) + pick(all, Math.max(0, rules.length - 1), randomBytes);
    if (!satisfies(candidate, classes, forbidden)) continue;
    return candidate;
  }
  throw new RangeError("the password rules leave no password to choose");
}

function satisfies(candidate: string, classes: string[], forbidden: readonly string[]): boolean {
  const lowered = candidate.toLowerCase();
  return (
    classes.every((characters) => Array.from(candidate).some((one) => characters.includes(one))) &&
    !forbidden.some((word) => word !== "" && lowered.includes(word.toLowerCase()))
  );
}

const mostDraws = 1_000;

/** Bytes past the largest multiple of the alphabet are thrown away: taking them modulo would be biased. */
function pick(alphabet: string, count: number, randomBytes: (count: number) => Uint8Array): string {
  if (alphabet.length === 0)
    throw new RangeError("the password rules leave no letter to start with");
  const limit = 256 - (256 % alphabet.length);
  let picked = "";
  for (let draws = 0; picked.length < count; draws++) {
    // Half of all bytes or more are good, so this is a source that is stuck.
    if (draws > mostDraws) throw new RangeError("the source of random bytes gives no usable ones");
    for (const byte of randomBytes(count - picked.length)) {
      if (byte < limit) picked += alphabet.charAt(byte % alphabet.length);
    }
  }
  return picked;
}
