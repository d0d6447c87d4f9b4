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
    "are refused if they leave no letter to start with",
    { forbidden: Array.from("ABCDEFGHIJKLMnopqrstuvwxyz") },
    [
      "password.startWithLetter: cannot be satisfied, because no letters are left; allow some letters",
    ],
  ],
  [
    "are refused if they leave too little entropy",
    { length: 22, exclude: "234567", forbidden: ["a", "ß"] },
    ["password: must leave 128 bits of entropy, but leaves 127; use length: 23"],
  ],
  [
    "are refused if nearly every long password contains one of them",
    { length: 128, forbidden: countPairs("abcdefghij") },
    ["password.forbidden: rules out nearly every password; remove the shortest words"],
  ],
  [
    "are accepted if most shorter passwords contain none",
    { forbidden: countPairs("abcdefghij") },
    [],
  ],
  ["are accepted if they are ordinary words", { forbidden: ["keyturn", "orders", ""] }, []],
])("forbidden words %s", (_, rules, expected) => {
  const found = checkPassword({ ...defaultPasswordRules, ...rules });
  expect(found.map(({ path, message }) => `${path.join(".")}: ${message}`)).toStrictEqual(expected);
});
