import { tdsErrors, type TdsRefusal } from "../errors.ts";

export type Token =
  | { readonly is: "word"; readonly text: string; readonly quoted: boolean }
  | { readonly is: "variable"; readonly text: string }
  | { readonly is: "string"; readonly text: string }
  | { readonly is: "number"; readonly text: string }
  | { readonly is: "sign"; readonly text: string }
  | { readonly is: "end"; readonly text: "" };

/** An error of the server. */
export class SqlError extends Error {
  readonly refusal: TdsRefusal;

  constructor(refusal: TdsRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export const syntaxError = (near: string) => new SqlError(tdsErrors.syntax(near));

const patterns: readonly (readonly [is: Exclude<Token["is"], "end"> | "blank", pattern: RegExp])[] =
  [
    ["blank", /\s+|--[^\n]*/y],
    ["string", /N?'(?:[^']|'')*'/iy],
    ["word", /\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*"|[\p{L}_#][\p{L}\p{N}_#$@]*/uy],
    ["variable", /@{1,2}[\p{L}_#][\p{L}\p{N}_#$@]*/uy],
    ["number", /0x[0-9a-f]+|\d+/iy],
    ["sign", /<>|[(),;.=+*]/y],
  ];

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const found = patterns.flatMap(([is, pattern]) => {
      pattern.lastIndex = at;
      const [match] = pattern.exec(text) ?? [];
      return match === undefined ? [] : [{ is, match }];
    })[0];
    if (found === undefined) throw syntaxError(text.charAt(at));
    at += found.match.length;
    if (found.is === "blank") continue;
    tokens.push(toToken(found.is, found.match));
  }
  return tokens;
}

function toToken(is: Exclude<Token["is"], "end">, match: string): Token {
  if (is === "string") return { is, text: toLiteral(match) };
  if (is !== "word") return { is, text: match };
  const quote = match.charAt(0);
  if (quote !== "[" && quote !== '"') return { is, text: match, quoted: false };
  const closing = quote === "[" ? "]" : '"';
  const text = match.slice(1, -1).replaceAll(closing + closing, closing);
  return { is, text, quoted: true };
}

/** Without the prefix N, a literal has only the characters of the code page. */
function toLiteral(match: string): string {
  const isNational = /^n/i.test(match);
  const text = match.slice(isNational ? 2 : 1, -1).replaceAll("''", "'");
  return isNational ? text : text.replaceAll(/[^\0-\u00FF]/g, "?");
}

/** Reads tokens one after the other. */
export class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { is: "end", text: "" };
  }

  take(): Token {
    const token = this.next;
    this.#at += 1;
    return token;
  }

  /** Whether these unquoted words or signs come next, whatever their case. Takes them if so. */
  takes(...texts: readonly string[]): boolean {
    const isNext = texts.every((text, ahead) => {
      const token = this.#tokens[this.#at + ahead];
      if (token === undefined || (token.is === "word" && token.quoted)) return false;
      return token.is !== "string" && token.text.toUpperCase() === text.toUpperCase();
    });
    if (isNext) this.#at += texts.length;
    return isNext;
  }

  expect(...texts: readonly string[]): void {
    for (const text of texts) if (!this.takes(text)) throw syntaxError(this.next.text);
  }

  word(): string {
    const token = this.take();
    if (token.is !== "word") throw syntaxError(token.text);
    return token.text;
  }
}
