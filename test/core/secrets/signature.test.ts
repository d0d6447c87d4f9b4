import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import {
  sign,
  type SignedRequest,
  verifySignature,
} from "../../../shared/core/secrets/signature.ts";

const key = new Secret("the key that both sides have");
const otherKey = new Secret("the key of somebody else");
const at = "2026-03-01T02:03:04.567Z";
const seconds = 1_772_330_584;
const body = '{"id":"1","note":"ünïcode 🔑"}';
const header = sign(body, key, at);

const verify = (change: Partial<SignedRequest> = {}) =>
  verifySignature({ header, body, keys: [key], now: at, ...change });

describe("a signature", () => {
  it("is the second of sending and HMAC-SHA256 over it and the body", () => {
    const expected = createHmac("sha256", "the key that both sides have")
      .update(`${seconds}.`)
      .update(body, "utf8")
      .digest("hex");
    expect(header).toBe(`t=${seconds},v1=${expected}`);
    expect(verify()).toBe(true);
  });

  it("holds for no other body", () => {
    for (const tampered of ["", `${body} `, body.slice(1), body.replace("1", "2")]) {
      expect(verify({ body: tampered })).toBe(false);
    }
  });

  it("holds for no other time, so that an old request cannot be made young", () => {
    const later = "2026-03-01T03:00:00.000Z";
    const renewed = header.replace(`t=${seconds}`, `t=${Date.parse(later) / 1000}`);
    expect(verify({ header: renewed, now: later })).toBe(false);
  });

  it("holds for no other key", () => {
    expect(verify({ keys: [otherKey] })).toBe(false);
    expect(verify({ keys: [] })).toBe(false);
    expect(verify({ header: sign(body, otherKey, at) })).toBe(false);
  });

  it("may be made with any valid key while one is being replaced", () => {
    expect(verify({ keys: [otherKey, key] })).toBe(true);
    expect(verify({ keys: [key, otherKey] })).toBe(true);
  });

  it("may stand beside one that was made with another key", () => {
    const [time = "", mine = ""] = header.split(",");
    const theirs = sign(body, otherKey, at).split(",")[1] ?? "";
    expect(verify({ header: `${time},${theirs},${mine}` })).toBe(true);
    expect(verify({ header: `${time}, ${mine}, v2=something-new` })).toBe(true);
    expect(verify({ header: `${time},${theirs}` })).toBe(false);
  });

  it.each([
    ["at once", 0, true],
    ["five minutes later", 300, true],
    ["later than that", 301, false],
    ["five minutes before, by the receiver's clock", -300, true],
    ["before that", -301, false],
  ])("is taken %s: %j s: %j", (_, shift, expected) => {
    const now = new Date((seconds + shift) * 1000).toISOString();
    expect(verify({ now })).toBe(expected);
  });

  it("has the tolerance that the receiver wants", () => {
    const now = new Date((seconds + 3600) * 1000).toISOString();
    expect(verify({ now, tolerance: 3_600_000 })).toBe(true);
    expect(verify({ now, tolerance: 3_599_999 })).toBe(false);
  });

  it.each([
    "",
    "t=,v1=",
    `t=${seconds}`,
    header.split(",")[1] ?? "",
    header.replace("v1=", "v0="),
    header.replace("v1=", "v1=0"),
    header.slice(0, -1),
    header.slice(0, -2),
    `${header.slice(0, -1)}g`,
    header.toUpperCase(),
    header.replace("t=", "t=-"),
    header.replace("t=", "t=1e"),
    header.replace(`t=${seconds}`, "t=999999999999"),
    `t=1,${header}`,
    `${header},t=1`,
  ])("is not taken from %j", (malformed) => {
    expect(verify({ header: malformed })).toBe(false);
  });

  it("is refused when the receiver's clock is invalid", () => {
    expect(verify({ now: "yesterday" })).toBe(false);
  });
});
