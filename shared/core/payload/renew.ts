import { spellings } from "../secrets/redaction/spellings.ts";
import type { Credential } from "../secrets/secret.ts";
import { parseConnectionString } from "./connection-string.ts";
import { setFields } from "./field.ts";
import { isJsonObject, parseJson, printJson } from "./json.ts";
import { isAccountName, isPasswordName } from "./names.ts";

export interface Renewed<Value> {
  readonly value: Value;
  /** Paths of what still holds the old password, or still names the old account of a pair. */
  readonly stale: readonly string[];
}

interface Supersession {
  readonly account: string;
  readonly nextAccount: string;
  readonly password: string;
  readonly nextPassword: string;
  /** Every way in which the old password may be written; empty if it is not replaced, or could be any word. */
  readonly spellings: readonly string[];
  /** Finds the old account; undefined if it stays the same. */
  readonly accountWord: RegExp | undefined;
}

/** Deeper values are left alone. */
const deepest = 20;

/** The JSON value with the old credential replaced wherever that is certain; everything else as it was. */
export function renewValue(value: unknown, old: Credential, next: Credential): Renewed<unknown> {
  const password = old.secret.reveal();
  const isReplaced = !old.secret.equals(next.secret);
  const supersession = {
    account: old.account,
    nextAccount: next.account,
    password,
    nextPassword: next.secret.reveal(),
    spellings: isReplaced && isDistinctive(password) ? spellings(password) : [],
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

/** Under such a name even a short or common word is what it seems to be. */
function renewNamed(key: string, text: string, change: Supersession): string | undefined {
  if (isPasswordName(key) && text === change.password) return change.nextPassword;
  if (isAccountName(key) && text === change.account) return change.nextAccount;
  return undefined;
}

/** Undefined unless it is a connection string with an account or a password. */
function renewConnectionString(text: string, change: Supersession): string | undefined {
  const { account, password } = parseConnectionString(text) ?? {};
  if (!account && !password) return undefined;
  // Another account's, whatever its password.
  if (account && account.value !== change.account) return text;
  if (password && password.value !== change.password) return text;
  return setFields(text, [
    ...(account ? [[account, change.nextAccount] as const] : []),
    ...(password ? [[password, change.nextPassword] as const] : []),
  ]);
}

/** As it was where it is not certain what must be written. */
function renewWords(text: string, change: Supersession): string {
  const { password, nextPassword, accountWord, nextAccount } = change;
  if (change.spellings.length === 0) return text;
  if (text === password) return nextPassword;
  const [encoded, nextEncoded] = [encode(password), encode(nextPassword)];
  // Written the same either way, it does not show which way the next one must be written.
  if (encoded === password && nextEncoded !== nextPassword) return text;
  const renewed = text
    .replaceAll(encoded, () => nextEncoded)
    .replaceAll(password, () => nextPassword);
  if (renewed === text || !accountWord) return renewed;
  // The name of an account may stand for a host or a database as well.
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

/** Others, such as `postgres`, may stand in a text and mean something else. */
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
