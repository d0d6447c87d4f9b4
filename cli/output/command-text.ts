import type { ConnectionOptions } from "../connection/connection.ts";

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** A command of this program, as a person can type it into a shell. It contacts the same app. Options that are not given are left out. */
export function toCommandText(
  words: readonly string[],
  { app, keyEnv, entra }: ConnectionOptions,
  options: Options = {},
): string {
  // The scope of --entra is optional, so nothing may follow it.
  const all: Options = { ...options, app, "key-env": keyEnv, entra };
  const given = Object.entries(all).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, value];
  });
  return ["keyturn", ...words, ...given].map(quote).join(" ");
}

/** Quotes a word for a POSIX shell where it must be. */
function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
