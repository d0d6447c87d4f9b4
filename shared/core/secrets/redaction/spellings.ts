/** Every form that a value can have in a text. */
export function listSpellings(value: string): string[] {
  const utf8 = Buffer.from(value, "utf8");
  const utf16 = Buffer.from(value, "utf16le");
  const reversed = Buffer.from(utf16).swap16();
  const forms = [
    value,
    utf8.toString("latin1"),
    ...inJson(value).flatMap((form) => [form, ...inJson(form)]),
    ...listPercentSpellings(value),
    ...listQuotedSpellings(value),
    ...inMarkup(value),
    ...[utf8, utf16, reversed].flatMap((bytes) => [...inBase64(bytes), bytes.toString("hex")]),
    utf8.toString("hex").toUpperCase(),
    // The form of a Buffer in JSON.
    utf8.join(","),
  ];
  return [...new Set(forms)];
}

/**
 * Base64 of the value alone, and as part of a longer text such as `account:secret`. Three bytes become four characters, so the value
 * has three possible offsets, and the characters at its edges also depend on the neighbours.
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

/** JSON as written by most programs, by those that write ASCII only, by those that escape markup, and by PHP. */
function inJson(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  return [
    plain,
    plain.replaceAll(/[^ -~]/g, escapedUnit),
    plain.replaceAll(/\\"|[&'+<>`]|[^ -~]/g, (found) => escapedUnit(found.slice(-1))),
    plain.replaceAll("/", String.raw`\/`),
  ];
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The value in a path or query, in a form field, as a whole address, as the password of an address, and in a nested address. */
function listPercentSpellings(value: string): string[] {
  const address = new URL("postgresql://account@host");
  address.password = value;
  // Half a surrogate pair cannot be encoded and would throw.
  const wellFormed = value.toWellFormed();
  const component = encodeURIComponent(wellFormed);
  const forms = [
    component,
    component.replaceAll(/[!'()*~]/g, percentEncodedUnit),
    encodeURIComponent(component),
    new URLSearchParams([["", value]]).toString().slice(1),
    encodeURI(wellFormed),
    address.password,
  ];
  return forms.flatMap((form) => [
    form,
    form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ]);
}

function percentEncodedUnit(unit: string): string {
  return `%${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The quoted forms in SQL, connection strings and source code. */
function listQuotedSpellings(value: string): string[] {
  return [
    value.replaceAll("'", "''"),
    value.replaceAll('"', '""'),
    value.replaceAll("}", "}}"),
    value.replaceAll(/['\\]/g, "\\$&"),
    value.replaceAll(/['"\\]/g, "\\$&"),
  ];
}

/** The forms in XML and HTML: in text, in attributes with each spelling of the apostrophe, and as numbers. */
function inMarkup(value: string): string[] {
  const inText = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const inAttribute = inText.replaceAll('"', "&quot;");
  const apostrophes = ["'", "&#39;", "&apos;", "&#x27;"];
  const numbered = (number: (unit: string) => string) =>
    value.replaceAll(/[&<>"']|[^ -~]/g, (unit) => `&#${number(unit)};`);
  return [
    inText,
    ...apostrophes.map((name) => inAttribute.replaceAll("'", name)),
    numbered((unit) => `${unit.charCodeAt(0)}`),
    numbered((unit) => `x${unit.charCodeAt(0).toString(16)}`),
  ];
}
