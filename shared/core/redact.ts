import type { Secret } from "./secret.ts";

/** Below this a spelling is left alone: it would be found by chance, and its removal would tell what it is. */
const shortest = 4;

/** `text` with every form in which one of the secrets could have got into it replaced by `[secret]`. */
export function redact(text: string, secrets: readonly Secret[]): string {
  const forms = new Set(secrets.flatMap((secret) => spellings(secret.reveal())));
  // Found in the untouched text and only then cut out: cutting one out could leave half of another standing.
  const found = [...forms]
    .filter((form) => form.length >= shortest)
    .flatMap((form) => occurrences(text, form))
    .sort((a, b) => a.from - b.from);
  let redacted = "";
  let end = 0;
  for (const { from, to } of found) {
    if (from >= end) redacted += `${text.slice(end, from)}[secret]`;
    end = Math.max(end, to);
  }
  return redacted + text.slice(end);
}

function occurrences(text: string, form: string): { from: number; to: number }[] {
  const found = [];
  for (let from = text.indexOf(form); from >= 0; from = text.indexOf(form, from + 1)) {
    found.push({ from, to: from + form.length });
  }
  return found;
}

/** Every form in which the value could have got into a text. */
export function spellings(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const escaped = [inJson(value), inJson(inJson(value))];
  const hex = bytes.toString("hex");
  return [
    value,
    ...escaped,
    ...percentEncoded(value),
    ...quoted(value),
    ...inMarkup(value),
    ...inBase64(bytes),
    ...inBase64(Buffer.from(value, "utf16le")),
    hex,
    hex.toUpperCase(),
  ];
}

/**
 * On its own, and as part of something longer such as `account:secret`: three bytes become four characters, so there are
 * three ways in which it can lie, and the characters at its edges belong to its neighbours as well.
 */
function inBase64(bytes: Buffer): string[] {
  const whole = bytes.toString("base64").replace(/=+$/, "");
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const end = (before + bytes.length) % 3 === 0 ? text.length : text.length - 1;
    return text.slice(before === 0 ? 0 : before + 1, end);
  });
  return [whole, ...inside].flatMap((form) => [
    form,
    form.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

/** As part of a path or query, as a field of a form, as a whole address, and as the password of one. */
function percentEncoded(value: string): string[] {
  const address = new URL("postgresql://account@host");
  address.password = value;
  // Half a surrogate pair cannot be encoded and would throw.
  const wellFormed = value.toWellFormed();
  const forms = [
    encodeURIComponent(wellFormed),
    new URLSearchParams([["", value]]).toString().slice(1),
    encodeURI(wellFormed),
    address.password,
  ];
  return forms.flatMap((form) => [
    form,
    form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ]);
}

/** As SQL, connection strings and program text quote. */
function quoted(value: string): string[] {
  return [
    value.replaceAll("'", "''"),
    value.replaceAll('"', '""'),
    value.replaceAll("}", "}}"),
    value.replaceAll(/['\\]/g, "\\$&"),
    value.replaceAll(/['"\\]/g, "\\$&"),
  ];
}

/** As XML and HTML write it: in text, and in attributes with each of the names of the apostrophe. */
function inMarkup(value: string): string[] {
  const inText = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const inAttribute = inText.replaceAll('"', "&quot;");
  const apostrophes = ["'", "&#39;", "&apos;", "&#x27;"];
  return [inText, ...apostrophes.map((name) => inAttribute.replaceAll("'", name))];
}
