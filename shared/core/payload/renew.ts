import { listSpellings } from "../secrets/redaction/spellings.ts";
import type { Credential } from "../secrets/secret.ts";
import { parseConnectionString } from "./connection-string.ts";
import { setFields } from "./field.ts";
import { isJsonObject, parseJson, printJson } from "./json.ts";
import { isAccountName, isPasswordName } from "./names.ts";

export interface Renewed<Value> {
  readonly value: Value;
  /** Paths of values that still contain the old password, or still name the old account of a pair. */
  readonly stale: readonly string[];
}

interface Supersession {
  readonly account: string;
  readonly nextAccount: string;
  readonly password: string;
  readonly nextPassword: string;
  /** Every form of the old password; empty if it is not replaced, or could be an ordinary word. */
  readonly spellings: readonly string[];
  /** Finds the old account; undefined if it stays the same. */
  readonly accountWord: RegExp | undefined;
}

/** Deeper values are left alone. */
const deepest = 20;

/** The JSON value with the old credential replaced wherever that is certain, and everything else unchanged. */
export function renewValue(value: unknown, old: Credential, next: Credential): Renewed<unknown> {
  const password = old.secret.reveal();
  const isReplaced = !old.secret.equals(next.secret);
  const supersession = {
    account: old.account,
    nextAccount: next.account,
    password,
    nextPassword: next.secret.reveal(),
    spellings: isReplaced && isDistinctive(password) ? listSpellings(password) : [],
    accountWord: old.account === next.account ? undefined : wordPattern(old.account),
  };
  return renewAt([], value, supersession);
}

function renewAt(path: readonly string[], value: unknown, change: Supersession): Renewed<unknown> {
  if (typeof value === "string") return renewText(path, value, change);
  if (typeof value !== "object" || value === null) return { value, stale: [] };
  if (path.length >= deepest) {
    const text = printJson(value);
    const isStale = mentionsPassword(text, change) || mentionsAccount(text, change);
    return { value, stale: isStale ? [path.join(".")] : [] };
  }
  if (!Array.isArray(value) && !isJsonObject(value)) return { value, stale: [] };
  const entries = Object.entries(value).map(
    ([key, item]) => [key, renewAt([...path, key], item, change)] as const,
  );
  const stale = entries.flatMap(([, item]) => item.stale);
  if (Array.isArray(value)) return { value: entries.map(([, item]) => item.value), stale };
  return { value: Object.fromEntries(entries.map(([key, item]) => [key, item.value])), stale };
}

function renewText(path: readonly string[], text: string, change: Supersession): Renewed<string> {
  const named = renewNamed(path.at(-1) ?? "", text, change);
  if (named !== undefined) return { value: named, stale: [] };
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined) {
    const { value, stale } = renewAt(path, json, change);
    const isSame = printJson(value) === printJson(json);
    return { value: isSame ? text : printJson(value), stale };
  }
  const connection = renewConnectionString(text, change);
  const renewed = connection ?? renewWords(text, change);
  // In a connection string the account is known from other words, such as the name of the database.
  const isStale =
    mentionsPassword(renewed, change) ||
    (connection === undefined && mentionsAccount(renewed, change));
  return isStale ? { value: text, stale: [path.join(".")] } : { value: renewed, stale: [] };
}

/** Under such a name, even a short or common word is the account or password. */
function renewNamed(key: string, text: string, change: Supersession): string | undefined {
  if (isPasswordName(key) && text === change.password) return change.nextPassword;
  if (isAccountName(key) && text === change.account) return change.nextAccount;
  return undefined;
}

/** Undefined unless it is a connection string with an account or a password. */
function renewConnectionString(text: string, change: Supersession): string | undefined {
  const { account, password } = parseConnectionString(text) ?? {};
  if (!account && !password) return undefined;
  // It belongs to another account, whatever its password.
  if (account && account.value !== change.account) return text;
  if (password && password.value !== change.password) return text;
  return setFields(text, [
    ...(account ? [[account, change.nextAccount] as const] : []),
    ...(password ? [[password, change.nextPassword] as const] : []),
  ]);
}

/** The text unchanged if it is not certain what to write. */
function renewWords(text: string, change: Supersession): string {
  const { password, nextPassword, accountWord, nextAccount } = change;
  if (change.spellings.length === 0) return text;
  if (text === password) return nextPassword;
  const [encoded, nextEncoded] = [encode(password), encode(nextPassword)];
  // The old value is the same in every form, so it does not show the form of the new one.
  if (encoded === password && nextEncoded !== nextPassword) return text;
  const renewed = text
    .replaceAll(encoded, () => nextEncoded)
    .replaceAll(password, () => nextPassword);
  if (renewed === text || !accountWord) return renewed;
  // The name of an account may also be the name of a host or a database.
  const isCertain = Array.from(renewed.matchAll(accountWord)).length === 1;
  return isCertain ? renewed.replaceAll(accountWord, () => nextAccount) : renewed;
}

function mentionsPassword(text: string, change: Supersession): boolean {
  if (text === change.password && change.password !== change.nextPassword) return true;
  return change.spellings.some((spelling) => text.includes(spelling));
}

function mentionsAccount(text: string, { accountWord }: Supersession): boolean {
  return accountWord !== undefined && text.search(accountWord) >= 0;
}

/** Other names, such as `postgres`, may occur in a text with another meaning. */
function isDistinctive(password: string): boolean {
  return password.length >= 8 && /\p{L}/u.test(password) && /[^\p{L}]/u.test(password);
}

/** The name with no letter, digit or underscore beside it. */
function wordPattern(name: string): RegExp | undefined {
  if (name === "") return undefined;
  const literal = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\p{L}\p{N}_])${literal}(?![\p{L}\p{N}_])`, "gu");
}

function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}
