import type { Field } from "../field.ts";
import { toPlainName } from "../names.ts";

/** The separators and quotes of one family of connection strings. */
export interface PairSyntax {
  readonly pair: RegExp;
  readonly separator: string;
  /** Undefined when different drivers read the value differently. */
  readonly read: (raw: string) => string | undefined;
  readonly write: (value: string) => string;
  /** Keys, in lower case without separators, whose values have no quotes: every character but the separator counts. Absent: none. */
  readonly plainKeys?: readonly string[];
}

export interface Pair {
  /** Lower-case, without separators. */
  readonly key: string;
  /** Undefined when its value is uncertain. */
  readonly field: Field | undefined;
  /** Name and value as written. */
  readonly whole: string;
}

export const ado: PairSyntax = {
  pair: /[;\s]*([^=;\s"'{}][^=;"'{}]*)=\s*("(?:[^"]|"")*"\s*(?=;|$)|'(?:[^']|'')*'\s*(?=;|$)|[^;]*)/y,
  separator: ";",
  read(raw) {
    if (raw.startsWith("{")) return undefined;
    return raw.startsWith("'")
      ? stripQuotes(raw, /^'((?:[^']|'')*)'$/, "'")
      : stripQuotes(raw, /^"((?:[^"]|"")*)"$/, '"');
  },
  write: (value) => (/^$|[;"'={}\s]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value),
};

/** The syntax of ODBC and of SQL Server's JDBC driver. Some drivers decode percent and plus signs outside of braces. */
export const odbc: PairSyntax = {
  pair: /[;\s]*([^=;\s"'{}][^=;"'{}]*)=\s*(\{(?:[^}]|\}\})*\}\s*(?=;|$)|[^;]*)/y,
  separator: ";",
  read: (raw) => (/^["']/.test(raw) ? undefined : stripQuotes(raw, /^\{((?:[^}]|\}\})*)\}$/, "}")),
  write: (value) =>
    /^$|[[\]{}(),;?*=!@"'%+\s]/.test(value) ? `{${value.replaceAll("}", "}}")}}` : value,
};

/** The syntax of libpq and of the programs that use it. */
export const libpq: PairSyntax = {
  pair: /\s*([a-z_][a-z_0-9]*)\s*=\s*('(?:[^'\\]|\\[^])*'(?=\s|$)|(?:[^\s'\\]|\\[^])*(?=\s|$))/iy,
  separator: " ",
  read(raw) {
    if (raw.startsWith('"')) return undefined;
    return (raw.startsWith("'") ? raw.slice(1, -1) : raw).replaceAll(/\\([^])/g, "$1");
  },
  write(value) {
    const escaped = value.replaceAll(/['\\]/g, String.raw`\$&`);
    return /^$|^"|\s/.test(value) ? `'${escaped}'` : escaped;
  },
};

/** Empty unless the whole text, from `start` on, consists of pairs. */
export function readPairs(text: string, start: number, syntax: PairSyntax): Pair[] {
  const pattern = new RegExp(syntax.pair);
  pattern.lastIndex = start;
  const pairs: Pair[] = [];
  let end = start;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const [all, key = "", rest = ""] = found;
    end = found.index + all.length;
    const raw = rest.trimEnd();
    const from = end - rest.length;
    const whole = text.slice(text.indexOf(key, found.index), from + raw.length);
    const { read, write } = ofKey(key, syntax);
    const value = read(raw);
    const field = value === undefined ? undefined : { value, from, to: from + raw.length, write };
    pairs.push({ key: toPlainName(key), field, whole });
  }
  return /^[;\s]*$/.test(text.slice(end)) ? pairs : [];
}

/** How the value of this key is read and written. */
export function ofKey(key: string, syntax: PairSyntax): Pick<PairSyntax, "read" | "write"> {
  if (syntax.plainKeys?.includes(toPlainName(key)) !== true) return syntax;
  // A person who wrote braces may have meant quotes.
  return { read: (raw) => (/[{}]/.test(raw) ? undefined : raw), write: (value) => value };
}

/** The value without its quotes; undefined when a quotation mark has no partner. */
function stripQuotes(raw: string, quoted: RegExp, quote: string): string | undefined {
  const [, inside] = quoted.exec(raw) ?? [];
  if (inside !== undefined) return inside.replaceAll(quote + quote, quote);
  return raw.startsWith(quote === "}" ? "{" : quote) ? undefined : raw;
}
