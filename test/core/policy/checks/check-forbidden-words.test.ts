import { expect, it } from "vitest";
import { checkPassword } from "../../../../shared/core/policy/checks/check-password.ts";
import {
  defaultPasswordRules,
  type PasswordRules,
} from "../../../../shared/core/secrets/password.ts";

function countPairs(letters: string): string[] {
  const all = Array.from(letters);
  return all.flatMap((first) => all.map((second) => first + second));
}

it.each<[string, Partial<PasswordRules>, string[]]>([
  [
    "are refused when those of one letter leave none to start with",
    { forbidden: Array.from("ABCDEFGHIJKLMnopqrstuvwxyz") },
    ["password.startWithLetter: cannot hold: no letter is left"],
  ],
  [
    "are refused when those of one character leave too little to guess",
    { length: 22, exclude: "234567", forbidden: ["a", "ß"] },
    ["password: leaves 127 bits of entropy and must leave 128; length: 23 is enough"],
  ],
  [
    "are refused when nearly every long password holds one of them",
    { length: 128, forbidden: countPairs("abcdefghij") },
    ["password.forbidden: leaves hardly any password; take its shortest words out"],
  ],
  ["are taken when most shorter ones hold none", { forbidden: countPairs("abcdefghij") }, []],
  ["are taken when they are usual ones", { forbidden: ["keyturn", "orders", ""] }, []],
])("forbidden words %s", (_, rules, expected) => {
  const found = checkPassword({ ...defaultPasswordRules, ...rules });
  expect(found.map(({ path, message }) => `${path.join(".")}: ${message}`)).toStrictEqual(expected);
});
