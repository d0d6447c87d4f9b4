import { createHash } from "node:crypto";
import {
  characterClassNames,
  computeFittingPart,
  countEntropyBits,
  drawPassword,
  listCharacterClasses,
  listMinimums,
  type PasswordRules,
} from "../../secrets/password.ts";
import { type Problem, toProblem } from "./problem.ts";

/** With less entropy, an attacker could guess a password offline, however slow the hash of the target is. */
const minBits = 128;
/** The maximum length of a password. */
const maxLength = 128;
/** If fewer random passwords satisfy the rules, ten thousand draws might contain none. */
const minFittingPart = 1 / 200;

export function checkPassword(rules: PasswordRules): Problem[] {
  const classes = listCharacterClasses(rules);
  const found = [...checkEmptied(rules, classes), ...checkCounts(rules, classes)];
  if (found.length > 0) return found;
  const bits = countEntropyBits(rules);
  if (bits < minBits) {
    const message = `must leave ${minBits} bits of entropy, but leaves ${bits}; ${moreBits(rules)}`;
    return [toProblem(["password"], message)];
  }
  if (computeFittingPart(rules) >= minFittingPart) return checkWords(rules);
  const message =
    "excludes almost every random password; lower the counts, or use a greater length";
  return [toProblem(["password", "atLeast"], message)];
}

function moreBits(rules: PasswordRules): string {
  for (let length = rules.length + 1; length <= maxLength; length++) {
    if (countEntropyBits({ ...rules, length }) >= minBits) return `use length: ${length}`;
  }
  return "allow more characters";
}

/** Draws passwords, because words can overlap and the fitting passwords cannot be counted. Each check draws the same ones. */
function checkWords(rules: PasswordRules): Problem[] {
  if (!rules.forbidden?.length) return [];
  let drawn = 0;
  const fixedBytes = (count: number) =>
    createHash("shake256", { outputLength: count }).update(`${drawn++}`).digest();
  const tries = 1 / minFittingPart;
  const all = Array.from({ length: 10 }, () => drawPassword(rules, [], fixedBytes, tries));
  if (!all.includes(undefined)) return [];
  const message = "rules out nearly every password; remove the shortest words";
  return [toProblem(["password", "forbidden"], message)];
}

/** Reports a required class of characters that has no characters left. */
function checkEmptied(rules: PasswordRules, classes: readonly string[]): Problem[] {
  const emptied = characterClassNames.filter((name, index) => {
    const asked = rules.atLeast?.[name] ?? (name === "symbols" && rules.symbols === "" ? 0 : 1);
    return asked > 0 && classes[index] === "";
  });
  const letters = classes.slice(0, 2).join("");
  if (rules.startWithLetter !== false && letters === "") {
    return [
      toProblem(
        ["password", "startWithLetter"],
        "cannot be satisfied, because no letters are left; allow some letters",
      ),
    ];
  }
  if (emptied.length === 0) return [];
  const message = `leaves no ${emptied.map(describeClass).join(" and no ")}, which many systems require; allow some`;
  return [toProblem(["password", rules.dialects?.length ? "dialects" : "exclude"], message)];
}

function checkCounts(rules: PasswordRules, classes: readonly string[]): Problem[] {
  const asked = listMinimums(rules, classes).reduce((sum, one) => sum + one, 0);
  if (asked > rules.length) {
    const message = `requires ${asked} characters, but length is ${rules.length}`;
    return [toProblem(["password", "atLeast"], message)];
  }
  const characters = classes.join("").length;
  if (!rules.noRepeats || rules.length <= characters) return [];
  const message = `requires ${rules.length} different characters, but the rules leave ${characters}`;
  return [toProblem(["password", "noRepeats"], message)];
}

function describeClass(name: string): string {
  return name === "lower" || name === "upper" ? `${name}-case letters` : name;
}
