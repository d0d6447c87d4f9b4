import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../shared/core/secrets/secret.ts";

const value = "s3cr3t-Value-that-nobody-may-see";
const secret = new Secret(value);
const nested = { list: [{ deep: { deeper: { deepest: secret } } }], map: new Map([["k", secret]]) };

const printed = (print: (console: Console) => void): string => {
  const stream = new PassThrough();
  print(new Console({ stdout: stream, stderr: stream }));
  return String(stream.read());
};

describe("a secret", () => {
  it.each<[string, () => string]>([
    ["String()", () => String(secret)],
    // eslint-disable-next-line @typescript-eslint/restrict-template-expressions
    ["a template", () => `${secret}`],
    ["joining a list", () => [secret, secret].join()],
    ["JSON", () => JSON.stringify(nested)],
    ["inspect", () => inspect(nested, { depth: 10 })],
    ["inspect with hidden fields", () => inspect(nested, { showHidden: true, depth: 10 })],
    ["inspect without custom forms", () => inspect(nested, { customInspect: false, depth: 10 })],
    ["inspect with getters", () => inspect(nested, { getters: true, showProxy: true, depth: 10 })],
    ["inspect of a proxy", () => inspect(new Proxy(secret, {}), { showProxy: true })],
    ["%s", () => format("%s", secret)],
    ["%o", () => format("%o", nested)],
    ["%O", () => format("%O", nested)],
    ["%j", () => format("%j", nested)],
    ["%d %i %f", () => format("%d %i %f", secret, secret, secret)],
    [
      "console.log",
      () =>
        printed((console) => {
          console.log(nested, secret);
        }),
    ],
    [
      "console.dir",
      () =>
        printed((console) => {
          console.dir(secret, { showHidden: true });
        }),
    ],
    [
      "console.table",
      () =>
        printed((console) => {
          console.table([{ secret }]);
        }),
    ],
    ["the cause of an error", () => inspect(new Error("no", { cause: { secret } }), { depth: 10 })],
    ["a field of an error", () => inspect(Object.assign(new Error("no"), { secret }))],
    ["an error about it", () => String(new Error(String(secret)).stack)],
    ["structuredClone", () => inspect(structuredClone(nested), { depth: 10, showHidden: true })],
    ["the serialisation of V8", () => serialize(secret).toString("latin1")],
    ["spreading", () => inspect(Object.assign({}, secret))],
    ["Object.entries", () => inspect([Object.entries(secret), Reflect.ownKeys(secret)])],
    ["own property descriptors", () => inspect(Object.getOwnPropertyDescriptors(secret))],
  ])("cannot be seen through %s", (_way, show) => {
    const shown = show();
    expect(shown).not.toBe("");
    expect(shown).not.toContain(value);
    expect(shown).not.toContain(value.slice(0, 8));
  });

  it("shows a placeholder", () => {
    expect([String(secret), JSON.stringify({ secret }), inspect(nested.map)]).toEqual([
      "[secret]",
      '{"secret":"[secret]"}',
      "Map(1) { 'k' => [secret] }",
    ]);
  });

  it("is returned by reveal()", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(new Secret(text).reveal()).toBe(text);
      }),
    );
  });

  it("equals only a secret with the same value", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\ud800", "\ud801", "\ufffd", ""),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(new Secret(a).equals(new Secret(b))).toBe(a === b);
        expect(new Secret(a).equals(new Secret(a))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("distinguishes values that look alike", () => {
    for (const [a, b] of [
      ["\u00e9", "e\u0301"],
      ["a", "A"],
      ["a", "a "],
      ["\ud800", "\ud801"],
      ["a", "a\0"],
    ]) {
      expect(new Secret(a ?? "").equals(new Secret(b ?? ""))).toBe(false);
    }
  });
});
