import { parseConnectionString } from "./connection-string.ts";
import { isJsonObject, type JsonObject, parseJsonObject } from "./json.ts";
import { isAccountName, isPasswordName } from "./names.ts";

/** An account and its password, or a description of the content, as in "it holds …". */
export type Found = Login | Absent;

interface Login {
  readonly account: string;
  readonly password: string;
}

interface Absent {
  readonly what: string;
  /** True if the object also has no password of another account. */
  readonly isBlank?: boolean;
}

/** Answers of HashiCorp Vault nest one object in another. */
const deepest = 2;

/** `accounts` as for `readPayload`. */
export function readJson(body: JsonObject, accounts: readonly string[]): Found {
  const here = readHere(body, accounts);
  if (here) return here;
  const inside = distinct(credentialsIn(body, accounts, 1));
  const [one] = inside;
  if (inside.length > 1) return { what: "JSON with more than one credential" };
  if (one) return one;
  const isBlank = credentialsIn(body, [], 1).length === 0;
  return { what: "JSON without a credential of the target", isBlank };
}

/** Undefined when none of its own keys names a password. */
function readHere(body: JsonObject, accounts: readonly string[]): Found | undefined {
  const passwords = listValues(body, "password", isPasswordName);
  if (passwords.length === 0) return undefined;
  const names = listValues(body, "username", isAccountName);
  const [password, account] = [onlyText(passwords), onlyText(names)];
  if (password === undefined) {
    const isBlank = passwords.every((value) => value === "" || value === null);
    return { what: "JSON without exactly one password", isBlank };
  }
  if (account === undefined && names.length > 0) {
    return { what: "JSON without exactly one account" };
  }
  return readNamed(
    account ?? (accounts.length === 1 ? accounts[0] : undefined),
    password,
    accounts,
  );
}

function readNamed(
  account: string | undefined,
  password: string,
  accounts: readonly string[],
): Found {
  if (account === undefined) return { what: "JSON with a password but no account name" };
  if (accounts.length > 0 && !accounts.includes(account)) {
    return { what: "the credential of another account" };
  }
  return { account, password };
}

/** If the key that Keyturn writes exists, only that key counts; otherwise all the usual names count. */
function listValues(
  body: JsonObject,
  ours: string,
  isMeant: (name: string) => boolean,
): readonly unknown[] {
  if (Object.hasOwn(body, ours)) return [body[ours]];
  return Object.entries(body)
    .filter(([name, value]) => isMeant(name) && !isJsonObject(value))
    .map(([, value]) => value);
}

function onlyText(values: readonly unknown[]): string | undefined {
  const [value, ...others] = new Set(values);
  return typeof value === "string" && value !== "" && others.length === 0 ? value : undefined;
}

function credentialsIn(body: JsonObject, accounts: readonly string[], depth: number): Login[] {
  // Kubernetes writes Base64 there.
  const isEncoded = body["kind"] === "Secret" && body["apiVersion"] !== undefined;
  return Object.entries(body)
    .filter(([key]) => !(isEncoded && key === "data"))
    .flatMap(([, value]) => {
      const object = typeof value === "string" ? parseJsonObject(value) : value;
      if (isJsonObject(object)) return listCredentials(object, accounts, depth);
      const found = typeof value === "string" ? readConnectionString(value, accounts) : undefined;
      return found && "password" in found ? [found] : [];
    });
}

function listCredentials(body: JsonObject, accounts: readonly string[], depth: number): Login[] {
  const found = readHere(body, accounts);
  if (found) return "password" in found ? [found] : [];
  return depth < deepest ? credentialsIn(body, accounts, depth + 1) : [];
}

function distinct(logins: readonly Login[]): readonly Login[] {
  return logins.filter(
    (one, index) =>
      logins.findIndex(
        ({ account, password }) => account === one.account && password === one.password,
      ) === index,
  );
}

/** Undefined unless the text is a connection string. It must name its account itself. */
export function readConnectionString(
  text: string,
  accounts: readonly string[],
): (Found & { readonly form: "url" | "pairs" }) | undefined {
  const { form, account, password } = parseConnectionString(text) ?? {};
  if (!form) return undefined;
  const what = form === "url" ? "a URL" : "a connection string";
  if (!account || !password || account.value === "" || password.value === "") {
    return { form, what: `${what} without an account and its password` };
  }
  if (accounts.length > 0 && !accounts.includes(account.value)) {
    return { form, what: `${what} of another account` };
  }
  return { form, account: account.value, password: password.value };
}
