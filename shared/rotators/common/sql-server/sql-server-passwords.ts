import { randomBytes } from "node:crypto";
import { ChangeRefusedError, ConfigError } from "../../../core/errors.ts";
import {
  listCharacterClasses,
  listMinimums,
  type PasswordRules,
} from "../../../core/secrets/password.ts";
import type { Credential } from "../../../core/secrets/secret.ts";

/** Characters, as UTF-16 counts them. QUOTENAME has the same limit. */
const maxPasswordLength = 128;
export const minPasswordLength = 8;
const minClasses = 3;

/** Names this short are not searched for in passwords. */
const minName = 3;

/** Why no account can have the password, in the words of `Rotator.findUnfit`. */
export function findUnfitForSqlServer(password: string): string | undefined {
  if (password === "") return "`value` must not be empty";
  if (password.includes("\0")) return "`value` must not contain a NUL character";
  return password.length > maxPasswordLength
    ? `\`value\` must have at most ${maxPasswordLength} characters`
    : undefined;
}

/**
 * Why the complexity rules refuse a password, as in "the secret must …". Azure SQL always has these rules, and SQL Server has them for
 * accounts with CHECK_POLICY = ON. A server may have further rules of its own.
 */
export function findTooSimple(
  password: string,
  account: string,
  least = minPasswordLength,
): string | undefined {
  const classes = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{L}\p{Nd}]/u];
  if (password.length < least) {
    return `must have at least ${least} characters`;
  }
  if (classes.filter((one) => one.test(password)).length < minClasses) {
    return `must have characters of at least ${minClasses} classes: lower case, upper case, digits, symbols`;
  }
  const hasName = password.toLowerCase().includes(account.toLowerCase());
  return hasName && account.length >= minName
    ? "must not contain the name of the account"
    : undefined;
}

/** A secret that is never stored, and that the complexity rules accept for this account. */
export function makeThrowaway(account: string): string {
  for (;;) {
    const secret = randomBytes(60).toString("base64url");
    if (findTooSimple(secret, account) === undefined) return secret;
  }
}

/** Throws ConfigError for a password that no account can have. `where` begins the message. */
export function requireFit({ secret }: Credential, where: string): void {
  const unfit = findUnfitForSqlServer(secret.reveal());
  if (unfit === undefined) return;
  throw new ConfigError(`${where}: the secret ${unfit.replace("`value` ", "")}`);
}

/** Throws ChangeRefusedError for a password that the complexity rules refuse. */
export function requireComplex(
  { account, secret }: Credential,
  where: string,
  least = minPasswordLength,
): void {
  const problem = findTooSimple(secret.reveal(), account, least);
  if (problem === undefined) return;
  throw new ChangeRefusedError(
    `${where}: the password policy of the server would refuse the secret: it ${problem}. Change the password rules of the policy`,
  );
}

/** Why the complexity rules would refuse some passwords of these rules, in the words of `Rotator.findUnfitRules`. */
export function findUnfitRulesForSqlServer(
  rules: PasswordRules,
  system = "SQL Server",
): string | undefined {
  const sure = listMinimums(rules, listCharacterClasses(rules)).filter((least) => least > 0);
  if (sure.length >= minClasses) return undefined;
  return (
    `has passwords with characters of only ${sure.length} of the classes lower, upper, digits and symbols, and ${system} ` +
    `requires ${minClasses}; exclude fewer characters, or raise atLeast`
  );
}
