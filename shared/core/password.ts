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

/** Lower bound of the entropy in bits: the first character is a letter, the rest are free. */
export function entropyBits(rules: PasswordRules): number {
  const classes = characterClasses(rules);
  const letters = (classes[0]?.length ?? 0) + (classes[1]?.length ?? 0);
  const all = classes.join("").length;
  if (letters === 0) return 0;
  return Math.floor(Math.log2(letters) + (rules.length - 1) * Math.log2(all));
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

/** Bytes past the largest multiple of the alphabet are thrown away: taking them modulo would be biased. */
function pick(alphabet: string, count: number, randomBytes: (count: number) => Uint8Array): string {
  if (alphabet.length === 0)
    throw new RangeError("the password rules leave no letter to start with");
  const limit = 256 - (256 % alphabet.length);
  let picked = "";
  while (picked.length < count) {
    for (const byte of randomBytes(count - picked.length)) {
      if (byte < limit) picked += alphabet.charAt(byte % alphabet.length);
    }
  }
  return picked;
}
