import { createHash } from "node:crypto";
import {
  characterClasses,
  characterClassNames,
  drawPassword,
  entropyBits,
  fittingPart,
  leastOfEach,
  type PasswordRules,
} from "../../secrets/password.ts";
import { type Problem, problem } from "./problem.ts";

/** Below this a password could be guessed offline, whatever the target does to slow it down. */
const leastBits = 128;
/** What a password may have of characters. */
const longest = 128;
/** Of passwords that fit less often than this, ten thousand draws might hold none. */
const leastFitting = 1 / 200;

export function checkPassword(rules: PasswordRules): Problem[] {
  const classes = characterClasses(rules);
  const found = [...checkEmptied(rules, classes), ...checkCounts(rules, classes)];
  if (found.length > 0) return found;
  const bits = entropyBits(rules);
  if (bits < leastBits) {
    const message = `leaves ${bits} bits of entropy and must leave ${leastBits}; ${moreBits(rules)}`;
    return [problem(["password"], message)];
  }
  if (fittingPart(rules) >= leastFitting) return checkWords(rules);
  const message =
    "asks for more than random passwords hold; lower the counts or make length greater";
  return [problem(["password", "atLeast"], message)];
}

function moreBits(rules: PasswordRules): string {
  for (let length = rules.length + 1; length <= longest; length++) {
    if (entropyBits({ ...rules, length }) >= leastBits) return `length: ${length} is enough`;
  }
  return "allow more characters";
}

/** Words overlap and cannot be counted as characters can: passwords are drawn, the same ones each time. */
function checkWords(rules: PasswordRules): Problem[] {
  if (!rules.forbidden?.length) return [];
  let drawn = 0;
  const fixedBytes = (count: number) =>
    createHash("shake256", { outputLength: count }).update(`${drawn++}`).digest();
  const tries = 1 / leastFitting;
  const all = Array.from({ length: 10 }, () => drawPassword(rules, [], fixedBytes, tries));
  if (!all.includes(undefined)) return [];
  const message = "leaves hardly any password; take its shortest words out";
  return [problem(["password", "forbidden"], message)];
}

/** A class that is asked for and has no characters left. */
function checkEmptied(rules: PasswordRules, classes: readonly string[]): Problem[] {
  const emptied = characterClassNames.filter((name, index) => {
    const asked = rules.atLeast?.[name] ?? (name === "symbols" && rules.symbols === "" ? 0 : 1);
    return asked > 0 && classes[index] === "";
  });
  const letters = classes.slice(0, 2).join("");
  if (rules.startWithLetter !== false && letters === "") {
    return [problem(["password", "startWithLetter"], "cannot hold: no letter is left")];
  }
  if (emptied.length === 0) return [];
  const message = `leaves no ${emptied.map(describeClass).join(" and no ")}; many systems demand some`;
  return [problem(["password", rules.dialects?.length ? "dialects" : "exclude"], message)];
}

function checkCounts(rules: PasswordRules, classes: readonly string[]): Problem[] {
  const asked = leastOfEach(rules, classes).reduce((sum, one) => sum + one, 0);
  if (asked > rules.length) {
    const message = `asks for ${asked} characters, and length is ${rules.length}`;
    return [problem(["password", "atLeast"], message)];
  }
  const characters = classes.join("").length;
  if (!rules.noRepeats || rules.length <= characters) return [];
  const message = `needs ${rules.length} different characters, and the rules leave ${characters}`;
  return [problem(["password", "noRepeats"], message)];
}

function describeClass(name: string): string {
  return name === "lower" || name === "upper" ? `${name}-case letters` : name;
}
