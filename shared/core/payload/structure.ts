import { parseConnectionString } from "./connection-string.ts";
import { parseJson, parseJsonObject } from "./json.ts";

/** Names before `=` or `:` in texts that contain credentials. */
const named =
  /(?:^|[;,&?{\s])["']?(user ?name|user ?id|user|uid|login|password|passwd|pwd|pass|host|hostname|server|data source|database|dbname|port)["']?\s*[=:]/gi;

interface Structure {
  readonly pattern: RegExp;
  readonly what: string;
}

/**
 * Texts that cannot be a generated password by chance: each pattern needs words, or several characters in certain places. A text that
 * only begins with a brace or contains an equals sign may be a password.
 */
const structures: readonly Structure[] = [
  { pattern: /^-----BEGIN [A-Z ]+-----/, what: "a PEM file" },
  { pattern: /[\r\n]/, what: "several lines of text" },
  { pattern: /^(null|true|false)$/, what: "a JSON value that is not text" },
  {
    // Also without the quotation marks that a shell removed, or with those that it added.
    pattern: /^["'@$[\s]*\{\s*\\*(["'])[\p{L}\p{N} _.-]{1,100}\\*\1\s*[:=]/u,
    what: "text that looks like JSON but is not valid",
  },
  {
    pattern: /^["'@$[\s]*\{\s*(user\w*|pass\w*|pwd)\s*[:=]/i,
    what: "text that looks like JSON but is not valid",
  },
  { pattern: /^<\?xml\b/i, what: "XML" },
  { pattern: /^<([a-z][\w:.-]*)(\s[^<>]*)?>[^]*<\/\1\s*>$/i, what: "XML" },
  {
    pattern: /^<[a-z][\w:.-]*(\s+[\w:.-]+\s*=\s*("[^"]*"|'[^']*'))+\s*\/>$/i,
    what: "XML",
  },
  { pattern: /^@Microsoft\.\w+\(.*\)$/i, what: "a reference to another secret" },
  {
    pattern: /^(<[a-z][\w -]*>|\$\{[a-z_][\w.:-]*\}|\{\{[^{}]*\}\}|#\{[\w.-]+\}#?|%[a-z_]\w*%)$/i,
    what: "a placeholder",
  },
  {
    pattern: /^(export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*(PASSWORD|PASSWD|PWD)\s*=/,
    what: "a line of an environment file",
  },
  { pattern: /^(password|passwd|pwd)(\s*=|\s*:\s)/i, what: "a name and its value" },
  { pattern: /^(\*|[\w.-]+):(\d{2,5}|\*):[^:\s]*:[^:\s]+:.+$/, what: "a line of a password file" },
];

/** Names the kind of a text that cannot be a password, as in "it holds XML"; undefined if it may be a password. */
export function findStructure(text: string, accounts: readonly string[]): string | undefined {
  const json = /^[["]/.test(text) ? parseJson(text) : undefined;
  if (Array.isArray(json)) return "a JSON array";
  if (typeof json === "string") return "a JSON string, or a password in quotation marks";
  const found = structures.find(({ pattern }) => pattern.test(text));
  if (found) return found.what;
  if (namesIn(text) >= 2) return "names and values in a form that Keyturn cannot read";
  if (accounts.some((account) => account.length >= 3 && isLogIn(text, account))) {
    return "an account and its password in one text";
  }
  const inside = decodedForms(text).find(isCertainlyStructured);
  return inside === undefined ? undefined : "an encoded text, such as Base64 of JSON";
}

/** Whether Keyturn reads the password, published alone, as a password. */
export function isBarePassword(password: string): boolean {
  const text = password.trim();
  return (
    parseJsonObject(text) === undefined &&
    parseConnectionString(text) === undefined &&
    findStructure(text, []) === undefined
  );
}

function namesIn(text: string): number {
  return new Set(Array.from(text.matchAll(named), ([, name = ""]) => name.toLowerCase())).size;
}

/** Matches texts such as `app:password` or `app/password@db`. */
function isLogIn(text: string, account: string): boolean {
  if (!text.startsWith(account)) return false;
  return /^(:.|\/.+@)/.test(text.slice(account.length));
}

/** Decodes Base64, hexadecimal and URL encoding. */
function decodedForms(text: string): string[] {
  const bytes = [
    ...(/^[\w+/-]{8,}={0,2}$/.test(text) ? [Buffer.from(text, "base64")] : []),
    ...(/^([0-9a-f]{2}){4,}$/i.test(text) ? [Buffer.from(text, "hex")] : []),
  ];
  const texts = bytes.flatMap((decoded) => [decoded.toString("utf8"), decoded.toString("utf16le")]);
  if (/^%(7B|5B|22|3C)/i.test(text)) texts.push(decodePercent(text));
  return texts.map((decoded) => decoded.replace(/^\uFEFF/, "").trim());
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** Whether the result is a real text and not an accident of decoding a text that was never encoded. */
function isCertainlyStructured(text: string): boolean {
  if (/^(-----BEGIN |<\?xml\b)/.test(text)) return true;
  if (/^[[{]/.test(text) && parseJson(text) !== undefined) return true;
  return parseConnectionString(text) !== undefined;
}
