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
    [
      "password.startWithLetter: cannot be satisfied, because no letters are left; allow some letters",
    ],
  ],
  [
    "are refused when those of one character leave too little to guess",
    { length: 22, exclude: "234567", forbidden: ["a", "ß"] },
    ["password: must leave 128 bits of entropy, but leaves 127; use length: 23"],
  ],
  [
    "are refused when nearly every long password holds one of them",
    { length: 128, forbidden: countPairs("abcdefghij") },
    ["password.forbidden: rules out nearly every password; remove the shortest words"],
  ],
  ["are taken when most shorter ones hold none", { forbidden: countPairs("abcdefghij") }, []],
  ["are taken when they are usual ones", { forbidden: ["keyturn", "orders", ""] }, []],
])("forbidden words %s", (_, rules, expected) => {
  const found = checkPassword({ ...defaultPasswordRules, ...rules });
  expect(found.map(({ path, message }) => `${path.join(".")}: ${message}`)).toStrictEqual(expected);
});
