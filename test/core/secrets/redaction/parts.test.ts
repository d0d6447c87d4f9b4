import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../../../../shared/core/secrets/redact.ts";
import { fold } from "../../../../shared/core/secrets/redaction/fold.ts";
import { search, toIndex, toNeedles } from "../../../../shared/core/secrets/redaction/search.ts";
import { listSpellings } from "../../../../shared/core/secrets/redaction/spellings.ts";
import { Secret } from "../../../../shared/core/secrets/secret.ts";

const hide = (text: string, ...values: string[]) =>
  redact(
    text,
    values.map((value) => new Secret(value)),
  );

const password = "xK7-qR2_vW9~mZ4.tB6-";

describe("A secret of eight characters or more", () => {
  it.each([
    ["in capitals", password.toUpperCase()],
    ["in small letters", password.toLowerCase()],
    ["in Base64 that was lowered", Buffer.from(password).toString("base64").toLowerCase()],
    ["across lines", `${password.slice(0, 7)}\n${password.slice(7)}`],
    ["across lines with an indent", `${password.slice(0, 7)}\r\n\t  ${password.slice(7)}`],
    ["across lines in JSON", `${password.slice(0, 7)}\\n${password.slice(7)}`],
    ["across lines in JSON in JSON", `${password.slice(0, 7)}\\\\r\\\\n${password.slice(7)}`],
    ["across lines of a shell", `${password.slice(0, 7)}\\\n${password.slice(7)}`],
    ["with blanks between its characters", Array.from(password).join(" ")],
    ["with a zero-width space in it", `${password.slice(0, 7)}\u200B${password.slice(7)}`],
    ["with a line separator in it", `${password.slice(0, 7)}\u2028${password.slice(7)}`],
    ["in hexadecimal with blanks", Buffer.from(password).toString("hex").replaceAll(/../g, "$& ")],
  ])("is found %s", (_what, written) => {
    expect(hide(`before "${written}" after`, password)).toMatch(/^before "\[secret\][ =]?" after$/);
  });

  it("is found in Base64 of 76 columns, at any position", () => {
    for (const before of ["", "a", "ab"]) {
      const text = Buffer.from(`${before}${password}${"x".repeat(60)}`).toString("base64");
      const wrapped = text.replaceAll(/.{19}/g, "$&\n");
      expect(fold(hide(wrapped, password)).text).not.toContain(
        fold(Buffer.from(password).toString("base64")).text.slice(6, 20),
      );
      expect(hide(wrapped, password)).toContain("[secret]");
    }
  });

  it("is found in any case and across any lines, in every form", () => {
    const letters = fc.constantFrom(...Array.from("abcXYZ012-_.~ä€"));
    const value = fc.array(letters, { minLength: 10, maxLength: 24 }).map((list) => list.join(""));
    const space = fc.constantFrom("\n", "\r\n  ", " ", "\u2029");
    fc.assert(
      fc.property(
        value,
        fc.nat(),
        fc.nat(),
        space,
        fc.boolean(),
        (secret, which, where, gap, up) => {
          const forms = listSpellings(secret);
          const form = forms[which % forms.length] ?? secret;
          const cut = where % form.length;
          const broken = form.slice(0, cut) + gap + form.slice(cut);
          const redacted = hide(`<< ${up ? broken.toUpperCase() : broken} >>`, secret);
          expect(redacted.startsWith("<< ")).toBe(true);
          expect(redacted).toContain("[secret]");
          expect(fold(redacted).text).not.toContain(fold(form).text);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("Half a secret of sixteen characters or more", () => {
  it.each([
    ["its first half", password.slice(0, 10), "<[secret]>"],
    ["more than its first half", password.slice(0, 15), "<[secret]>"],
    ["its last half", password.slice(10), "<[secret]>"],
    ["more than its last half", password.slice(5), "<[secret]>"],
    ["half of its Base64", Buffer.from(password).toString("base64").slice(0, 16), "<[secret]>"],
    ["less than half", password.slice(0, 9), `<${password.slice(0, 9)}>`],
  ])("is found: %s", (_what, part, expected) => {
    expect(hide(`<${part}>`, password)).toBe(expected);
  });

  it("is found where a message was cut off", () => {
    const text = `could not send {"username":"app","password":"${password}"}`;
    for (let end = text.indexOf(password) + 10; end <= text.length; end++) {
      expect(hide(text.slice(0, end), password)).toContain('"password":"[secret]');
    }
  });

  it("is not redacted if it is a word", () => {
    expect(hide("PostgreSQL refuses orders", "postgresqlpassword")).toBe(
      "PostgreSQL refuses orders",
    );
    expect(hide("it is PostgreSQLpassword", "postgresqlpassword")).toBe("it is [secret]");
  });
});

it("A shorter secret is found as it is written, and not by chance across blanks", () => {
  expect(hide("ab12 AB12 ab 12", "ab12")).toBe("[secret] AB12 ab 12");
});

it("A long secret is found in pieces and marked once", () => {
  const long = Array.from({ length: 900 }, (_, index) => index.toString(36)).join("");
  expect(hide(`<${long}>`, long)).toBe("<[secret]>");
  expect(hide(`<${long.slice(0, 1000)}>`, long)).toMatch(/^<\[secret\].{0,255}>$/s);
});

it("The work grows with the text, and hardly with the number of secrets", () => {
  const letters = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyz0123456789-_"));
  const word = fc.array(letters, { minLength: 20, maxLength: 40 }).map((list) => list.join(""));
  const fifty = fc.array(word, { minLength: 50, maxLength: 50 });
  fc.assert(
    fc.property(fifty, fc.array(word, { minLength: 300, maxLength: 300 }), (secrets, words) => {
      const text = [...words, ...secrets].join("").slice(0, 10_000);
      let compared = 0;
      const needles = secrets.flatMap((secret) =>
        listSpellings(secret).flatMap((form) => toNeedles(fold(form).text, true)),
      );
      search(
        text,
        toIndex([["all", needles.filter((one) => one.text.length >= 8)]]),
        () => compared++,
      );
      expect(compared).toBeLessThan(10 * text.length);
    }),
    { numRuns: 5 },
  );
  // The worst case: a text and a secret of one repeated character.
  let compared = 0;
  const one = "a".repeat(20_000);
  search(one, toIndex([["one", toNeedles(one, true)]]), () => compared++);
  expect(compared).toBeLessThan(256 * one.length);
});
