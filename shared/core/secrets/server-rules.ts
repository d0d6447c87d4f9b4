import {
  type CharacterClass,
  characterClassNames,
  listCharacterClasses,
  listMinimums,
  type PasswordRules,
} from "./password.ts";
import type { Secret } from "./secret.ts";

/** Rules of a server for new passwords, as far as it shows them. */
export interface ServerRules {
  /** What has the rules, such as "credcheck on the server". */
  readonly source: string;
  /** Characters. */
  readonly minLength?: number;
  /** Characters. */
  readonly maxLength?: number;
  /** The minimum number of characters of a class. Every character that is neither letter nor digit is a symbol. */
  readonly atLeast?: Readonly<Partial<Record<CharacterClass, number>>>;
  /** Characters that must not occur. */
  readonly without?: string;
  /** At least one of these characters must occur. */
  readonly oneOf?: string;
  /** How many times a character may follow itself. */
  readonly maxRun?: number;
  /** The name of the account must not occur. */
  readonly withoutAccount?: boolean;
  /** The rules do not distinguish upper and lower case. */
  readonly ignoresCase?: boolean;
}

const members: Readonly<Record<CharacterClass, RegExp>> = {
  lower: /\p{Ll}/u,
  upper: /\p{Lu}/u,
  digits: /\p{Nd}/u,
  symbols: /[^\p{L}\p{Nd}]/u,
};

/** A password as the rules of a server see it. */
interface Seen {
  readonly characters: readonly string[];
  /** Whether any of these characters occurs. */
  readonly has: (some: string) => boolean;
  readonly hasAccount: boolean;
}

/** Each names what its rule requires, if the password breaks it. */
const checks: readonly ((rules: ServerRules, seen: Seen) => string | false | undefined)[] = [
  ({ minLength = 0 }, { characters }) =>
    characters.length < minLength && `at least ${minLength} characters`,
  ({ maxLength = Infinity }, { characters }) =>
    characters.length > maxLength && `at most ${maxLength} characters`,
  ({ atLeast = {} }, { characters }) => {
    const missing = characterClassNames.find(
      (name) => characters.filter((one) => members[name].test(one)).length < (atLeast[name] ?? 0),
    );
    return missing && `at least ${atLeast[missing] ?? 0} ${missing}`;
  },
  ({ without = "" }, { has }) => has(without) && `none of the characters ${without}`,
  ({ oneOf = "" }, { has }) => oneOf !== "" && !has(oneOf) && `one of the characters ${oneOf}`,
  ({ maxRun = Infinity }, { characters }) =>
    longestRun(characters) > maxRun && `no character more than ${maxRun} times in a row`,
  ({ withoutAccount = false }, { hasAccount }) =>
    withoutAccount && hasAccount && "passwords without the name of the account",
];

/** Why the server would refuse the password for the account, without the password. Undefined if its rules allow it. */
export function findBrokenRule(
  rules: ServerRules,
  password: Secret,
  account: string,
): string | undefined {
  const fold = (text: string) => (rules.ignoresCase === true ? text.toLowerCase() : text);
  const value = fold(password.reveal());
  const seen: Seen = {
    characters: Array.from(value),
    has: (some) => Array.from(fold(some)).some((one) => value.includes(one)),
    hasAccount: value.includes(fold(account)),
  };
  for (const check of checks) {
    const rule = check(rules, seen);
    if (typeof rule !== "string") continue;
    return `${rules.source} requires ${rule}, so it would refuse the new password of ${account}`;
  }
  return undefined;
}

function longestRun(characters: readonly string[]): number {
  let [longest, run] = [0, 0];
  for (const [index, character] of characters.entries()) {
    run = character === characters[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

/**
 * Which fields of the password rules of a policy let through passwords that the server would refuse, with what to write instead. Rare
 * coincidences, such as a character three times in a row, are not reported.
 */
export function findRuleConflicts(server: ServerRules, policy: PasswordRules): string[] {
  const { minLength = 0, maxLength = Infinity, atLeast = {}, without = "", maxRun = 0 } = server;
  const classes = listCharacterClasses(policy);
  const minimums = listMinimums(policy, classes);
  const used = classes.join("");
  const unwanted = Array.from(without)
    .filter((one) => used.includes(one))
    .join("");
  const conflicts: readonly (readonly [isThere: boolean, advice: string])[] = [
    [policy.length < minLength, `\`length\` must be at least ${minLength}`],
    [policy.length > maxLength, `\`length\` must be at most ${maxLength}`],
    ...characterClassNames.map((name, index) => {
      const wanted = atLeast[name] ?? 0;
      const advice =
        classes[index] === ""
          ? `the rules must leave some ${name}, because ${wanted} are required`
          : `\`atLeast.${name}\` must be at least ${wanted}`;
      return [(minimums[index] ?? 0) < wanted, advice] as const;
    }),
    [unwanted !== "", `\`exclude\` must contain ${unwanted}`],
    [maxRun === 1 && policy.noRepeats !== true, "`noRepeats` must be true"],
  ];
  return conflicts.flatMap(([isThere, advice]) => (isThere ? [advice] : []));
}
