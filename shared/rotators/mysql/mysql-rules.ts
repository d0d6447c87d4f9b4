import type { ServerRules } from "../../core/secrets/server-rules.ts";

/** The settings in which MySQL and MariaDB keep their rules for passwords. Every account can read them. */
export const ruleVariables = [
  "validate_password.policy",
  "validate_password.length",
  "validate_password.mixed_case_count",
  "validate_password.number_count",
  "validate_password.special_char_count",
  "validate_password_policy",
  "validate_password_length",
  "validate_password_mixed_case_count",
  "validate_password_number_count",
  "validate_password_special_char_count",
  "simple_password_check_minimal_length",
  "simple_password_check_digits",
  "simple_password_check_letters_same_case",
  "simple_password_check_other_characters",
] as const;

/** Pure: the rules that the settings show. Dictionaries, such as those of cracklib, are not shown. */
export function readRules(variables: ReadonlyMap<string, string>): ServerRules | undefined {
  const count = (name: string) => Number(variables.get(name) ?? 0) || 0;
  // The names of the component have a dot, those of the older plugin an underscore.
  const prefix = ["validate_password.", "validate_password_"].find((name) =>
    variables.has(`${name}policy`),
  );
  if (prefix !== undefined) {
    const minLength = count(`${prefix}length`);
    const cases = count(`${prefix}mixed_case_count`);
    const isLow = /^(LOW|0)$/i.test(variables.get(`${prefix}policy`) ?? "");
    return {
      source: "validate_password on the server",
      minLength,
      ...(!isLow && {
        atLeast: {
          lower: cases,
          upper: cases,
          digits: count(`${prefix}number_count`),
          symbols: count(`${prefix}special_char_count`),
        },
      }),
    };
  }
  if (!variables.has("simple_password_check_minimal_length")) return undefined;
  const cases = count("simple_password_check_letters_same_case");
  return {
    source: "simple_password_check on the server",
    minLength: count("simple_password_check_minimal_length"),
    atLeast: {
      lower: cases,
      upper: cases,
      digits: count("simple_password_check_digits"),
      symbols: count("simple_password_check_other_characters"),
    },
  };
}

/** Pure: the same settings and the plugins for a message, as in "validate_password.length = 8". */
export function describeRules(
  variables: ReadonlyMap<string, string>,
  plugins: readonly string[] = [],
): string {
  const settings = ruleVariables.flatMap((name) => {
    const value = variables.get(name) ?? "";
    return /^\w+$/.test(value) ? [`${name} = ${value}`] : [];
  });
  const names = plugins.filter((name) => /^\w+$/.test(name)).map((name) => `plugin ${name}`);
  return [...settings, ...names].join(", ");
}
