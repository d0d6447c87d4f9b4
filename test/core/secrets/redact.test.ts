import { escape } from "node:querystring";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../../../shared/core/secrets/redact.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);
const lowered = (value: string) => value.replace(/%../g, (code) => code.toLowerCase());
const inAddress = (value: string) => {
  const url = new URL("https://account@host");
  url.password = value;
  return url.href.slice("https://account:".length, -"@host/".length);
};

/** The forms of a secret in a text, written independently of the code. */
const ways: Readonly<Record<string, (value: string) => string>> = {
  "as it stands": (value) => value,
  "in JSON": inJson,
  "in JSON that is in JSON": (value) => inJson(inJson(value)),
  "in a query": encodeURIComponent,
  "in a query in lower case": (value) => lowered(encodeURIComponent(value)),
  "in a query by querystring": escape,
  "in a form": (value) => String(new URLSearchParams({ v: value })).slice(2),
  "in a form in lower case": (value) => lowered(String(new URLSearchParams({ v: value })).slice(2)),
  "in a whole address": encodeURI,
  "as the password in an address": inAddress,
  "in an SQL literal": (value) => value.replaceAll("'", "''"),
  "in a connection string": (value) => value.replaceAll('"', '""'),
  "in an ODBC connection string": (value) => value.replaceAll("}", "}}"),
  "in a libpq connection string": (value) => value.replace(/['\\]/g, String.raw`\$&`),
  "in program text": (value) => value.replace(/["'\\]/g, String.raw`\$&`),
  "in XML": (value) =>
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  "in HTML": (value) =>
    value
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;"),
  "in Base64": (value) => Buffer.from(value).toString("base64"),
  "in Base64 without padding": (value) => Buffer.from(value).toString("base64").replace(/=*$/, ""),
  "in Base64 for addresses": (value) => Buffer.from(value).toString("base64url"),
  "in hexadecimal": (value) => Buffer.from(value).toString("hex"),
  "in hexadecimal capitals": (value) => Buffer.from(value).toString("hex").toUpperCase(),
  "in Base64 of UTF-16": (value) => Buffer.from(value, "utf16le").toString("base64"),
  "in Base64 of UTF-16 the other way round": (value) =>
    Buffer.from(value, "utf16le").swap16().toString("base64url"),
  "in hexadecimal of UTF-16": (value) => Buffer.from(value, "utf16le").toString("hex"),
  "in JSON of ASCII alone": (value) =>
    inJson(value).replace(
      /[^ -~]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "in JSON by PHP": (value) => inJson(value).replaceAll("/", String.raw`\/`),
  "in a query in a query": (value) => encodeURIComponent(encodeURIComponent(value)),
  "in XML by numbers": (value) =>
    value.replace(/[&<>"']|[^ -~]/g, (unit) => `&#${String(unit.charCodeAt(0))};`),
  "as bytes that were taken for Latin-1": (value) => Buffer.from(value).toString("latin1"),
  "as JSON writes bytes": (value) => JSON.stringify(Buffer.from(value)),
};

const awkward = fc.constantFrom(
  ...Array.from("'\"`\\{}[]()<>&%+ =;:/?#@!$^*|~-_.,\t\n\0aZ0é世"),
  "\u{1f511}",
  "''",
  "%2F",
);
const password = fc
  .oneof(
    fc.array(awkward, { minLength: 8, maxLength: 20 }).map((list) => list.join("")),
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, unit: "grapheme", maxLength: 20 }),
  )
  .filter((value) => !"[secret]".includes(value));

const hide = (text: string, ...values: string[]) =>
  redact(
    text,
    values.map((value) => new Secret(value)),
  );

/** The parts of the text between the marks. */
const remains = (redacted: string) => redacted.split("[secret]");

describe("redaction", () => {
  it.each(Object.entries(ways))("leaves no secret %s, whatever stands around it", (_way, write) => {
    fc.assert(
      fc.property(password, fc.string(), fc.string(), (value, before, after) => {
        const written = write(value);
        const redacted = hide(before + written + after, value);
        expect(redacted).toContain("[secret]");
        for (const rest of remains(redacted)) {
          expect(rest).not.toContain(written);
          expect(rest).not.toContain(value);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("leaves nothing of several secrets, even if they overlap or contain each other", () => {
    const letters = fc.array(fc.constantFrom("a", "b"), { minLength: 8, maxLength: 12 });
    const value = letters.map((list) => list.join(""));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), value, value, (others, one, two) => {
        const values = [one, two, one + two, ...others];
        const text = `x ${one}${two}${two.slice(3)} ${others.join("")} y`;
        const redacted = hide(text, ...values);
        for (const rest of remains(redacted)) {
          for (const each of values) expect(rest).not.toContain(each);
        }
        expect(redacted).toMatch(/^x \[secret\].* y$/);
      }),
      { numRuns: 500 },
    );
  });

  it("removes two secrets that share characters completely", () => {
    expect(hide("<aaaabbbbcccccc>", "aaaabbbb", "bbbbcccccc")).toBe("<[secret]>");
    expect(hide("<abababab>", "abab")).toBe("<[secret]>");
    expect(hide("<ababababa>", "abababa")).toBe("<[secret]>");
  });

  it("removes a secret that contains another, and the other where it stands alone", () => {
    const payload = '{"password":"hunter2hunter2"}';
    expect(hide(`PUT ${payload} for hunter2hunter2.`, "hunter2hunter2", payload)).toBe(
      "PUT [secret] for [secret].",
    );
  });

  it("marks neighbours one by one", () => {
    expect(hide("onesecret1twosecret2", "onesecret1", "twosecret2")).toBe("[secret][secret]");
  });

  it("treats secrets as text, not as patterns", () => {
    expect(hide("a .*.*.*.* b", ".*.*.*.*")).toBe("a [secret] b");
    expect(hide("$& $1 $$ pass$&word", "pass$&word")).toBe("$& $1 $$ [secret]");
  });

  it("does not change a text without a secret", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(redact(text, [])).toBe(text);
        expect(hide(text, "\u{1f511} not in there \u{1f511}")).toBe(text);
      }),
    );
  });

  it("leaves secrets of less than four characters, which would match everywhere", () => {
    expect(hide("an answer to an error", "an", "")).toBe("an answer to an error");
    expect(hide("the pin is 1234", "1234")).toBe("the pin is [secret]");
  });

  it("works for secrets that are not valid Unicode", () => {
    const half = "half\ud83d of a pair";
    expect(hide(`it was ${half}!`, half)).toBe("it was [secret]!");
    expect(hide(`it was ${JSON.stringify(half)}!`, half)).toBe('it was "[secret]"!');
    expect(hide(`?p=${encodeURIComponent(half.toWellFormed())}`, half)).toBe("?p=[secret]");
  });

  it("takes time in proportion to the length of the text", () => {
    const text = "ab".repeat(100_000);
    expect(hide(`${text} hunter2hunter2`, "hunter2hunter2", "abababababab")).toBe(
      "[secret] [secret]",
    );
  });
});
