import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../shared/config/load.ts";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { fakeRotators } from "./fake-rotators.ts";
import { makeFolder } from "./written.ts";

const anything = () => fc.jsonValue({ maxDepth: 2 });

/** Generates a valid value of the field, or anything else. */
const maybe = (good: fc.JsonValue) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(good) }, anything());

const target = fc.record(
  {
    type: maybe("relational"),
    options: fc.oneof(fc.record({ host: maybe("a"), tls: anything() }), anything()),
    accounts: fc.oneof(fc.array(maybe("a"), { maxLength: 3 }), anything()),
    admin: fc.oneof(fc.record({ secret: maybe("x"), account: anything() }), anything()),
    publish: fc.oneof(fc.record({ secret: maybe("x"), vault: maybe("main") }), anything()),
    policy: maybe("default"),
    grace: maybe("1h"),
    consumers: anything(),
    tags: anything(),
  },
  { requiredKeys: [] },
);

const nonsense = fc.record(
  {
    version: maybe(1),
    vaults: maybe({ main: { url: "https://kv.vault.azure.net" } }),
    policies: fc.oneof(fc.record({ default: maybe({ every: "1d" }) }), anything()),
    targets: fc.oneof(fc.record({ one: target, two: target }), maybe({})),
    consumers: anything(),
    notify: anything(),
  },
  { requiredKeys: [] },
);

test("any file is either accepted or refused with located problems, and never crashes the check", async () => {
  const file = join(await makeFolder({}), "keyturn.yaml");
  const lines = async (text: string) => {
    await writeFile(file, text);
    return loadConfig(file, { rotators: fakeRotators }).then(
      () => [],
      (error: unknown) => {
        if (error instanceof ConfigProblemsError) return error.problems;
        throw error;
      },
    );
  };
  await fc.assert(
    fc.asyncProperty(nonsense, async (value) => {
      const text = stringify(value);
      const length = text.split("\n").length;
      for (const { line, column, message } of await lines(text)) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe("");
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});
