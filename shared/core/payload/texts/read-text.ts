import { type Field, takeOnlyField } from "../field.ts";
import type { Found } from "../read-json.ts";
import type { Parts, TextForm } from "./text-form.ts";

/** A byte-order mark, which Windows PowerShell writes, and the line breaks and blanks around the text do not belong to it. */
export function cleanText(text: string): string {
  return text.replace(/^\uFEFF/, "").trim();
}

/**
 * The credential of a text in this form. Undefined if the text is not in this form, or names no account and no password; its meaning is
 * open then. `accounts` as for `readPayload`.
 */
export function readText(
  form: TextForm,
  text: string,
  accounts: readonly string[],
): Found | undefined {
  const parts = form.read(text);
  if (!parts || !hasLogin(parts, form)) return undefined;
  const { username, password } = findLogin(parts);
  const account = username?.value === "" ? form.defaultAccount : username?.value;
  if (account === undefined || password === undefined || password.value === "") {
    return { what: "a connection string without exactly one account and its password" };
  }
  if (accounts.length > 0 && !accounts.includes(account)) {
    return { what: "a connection string of another account" };
  }
  return { account, password: password.value };
}

/** The only fields with these meanings; absent when they are repeated or uncertain. */
export function findLogin(parts: Parts): {
  readonly username?: Field;
  readonly password?: Field;
} {
  const named = (wanted: string) =>
    parts.filter(({ name }) => name === wanted).map(({ field }) => field);
  return {
    ...takeOnlyField("username", named("username")),
    ...takeOnlyField("password", named("password")),
  };
}

function hasLogin(parts: Parts, { defaultAccount }: TextForm): boolean {
  const names = new Set(parts.map(({ name }) => name));
  const { username } = findLogin(parts);
  const isNamed = username?.value !== "" || defaultAccount !== undefined;
  return names.has("username") && names.has("password") && isNamed;
}
