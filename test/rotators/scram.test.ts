import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  computeScramVerifier,
  isTakenAsItStands,
} from "../../shared/rotators/common/connection/scram.ts";

const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");

describe("a SCRAM verifier", () => {
  it("proves the exchange printed in RFC 7677", async () => {
    const exchange = [
      "n=user,r=rOprNGfwEbeRWgbNEkqO",
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    ].join(",");
    const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");

    const verifier = await computeScramVerifier("pencil", 4096, salt);

    const parts = /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$(.+):(.+)$/.exec(verifier) ?? [];
    const [, stored = "", server = ""] = parts;
    const hmac = (key: string) =>
      createHmac("sha256", Buffer.from(key, "base64")).update(exchange).digest();
    expect(hmac(server).toString("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    const clientKey = hmac(stored).map((byte, index) => byte ^ (proof[index] ?? 0));
    expect(createHash("sha256").update(clientKey).digest("base64")).toBe(stored);
  });

  it("is different each time, because of the salt", async () => {
    expect(await computeScramVerifier("pencil")).not.toBe(await computeScramVerifier("pencil"));
  });
});

describe("a password that every client uses unchanged", () => {
  it.each([
    ["any printable ASCII", ` !"#$%&'()*+,-./09:;<=>?@AZ[\\]^_\`az{|}~`],
    ["ASCII control characters", "a\tb\u0007c\u007f"],
    ["composed letters", "pässwörd"],
    ["another script", "用户密码"],
    ["one from right to left, mixed with Latin", "סיסמה-abc"],
    ["an emoji", "😀"],
  ])("may be %s", (_, password) => {
    expect(isTakenAsItStands(password)).toBe(true);
  });

  it.each([
    ["a no-break space", "a\u00A0b"],
    ["a space that NFKC leaves alone", "a\u1680b"],
    ["a soft hyphen", "a\u00ADb"],
    ["a zero-width joiner", "a\u200Db"],
    ["a variation selector", "❤\uFE0F"],
    ["a ligature", "ﬁrst"],
    ["a letter with its accent apart", "e\u0301"],
    ["a letter younger than the standard that NFKC replaces", "a\u1D2E"],
    ["half a surrogate pair", "a\uD83D"],
    ["a NUL", "a\0b"],
  ])("does not hold %s", (_, password) => {
    expect(isTakenAsItStands(password)).toBe(false);
  });
});
