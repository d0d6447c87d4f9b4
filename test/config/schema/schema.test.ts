import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../../shared/config/load.ts";
import { makeJsonSchema } from "../../../shared/config/schema/definition.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { certificate, load, makeFolder, withTarget } from "../written.ts";

const root = resolve(import.meta.dirname, "../../..");
const example = resolve(root, "examples/keyturn.yaml");
const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });

/** Checks a YAML text with a general JSON Schema validator, as editors do. */
function judge(schema: Record<string, unknown>, text: string): string {
  const ajv = new Ajv({ allErrors: true, validateFormats: false });
  const valid = ajv.validate(schema, parse(text));
  return valid ? "valid" : ajv.errorsText();
}

const fakeSchema = makeJsonSchema(fakeRotators);

test("keyturn.schema.json is generated from the current definition", async () => {
  const written: unknown = JSON.parse(await readFile(resolve(root, "keyturn.schema.json"), "utf8"));
  expect(written, "run: node scripts/run.mjs scripts/write-schema.ts").toEqual(
    makeJsonSchema(rotators),
  );
});

test("the example is valid for editors and for Keyturn, without warnings", async () => {
  const text = await readFile(example, "utf8");
  expect(judge(makeJsonSchema(rotators), text)).toBe("valid");
  const folder = await makeFolder({
    "keyturn.yaml": text,
    "certificates/legacy-ca.pem": certificate,
  });
  const config = await loadConfig(join(folder, "keyturn.yaml"), { rotators });
  expect(config.targets.map(({ id }) => id)).toEqual(["orders-db", "reports-db", "legacy-db"]);
  expect(config.warnings).toEqual([]);
});

test("the example names the schema for editors", async () => {
  const [first = ""] = (await readFile(example, "utf8")).split("\n");
  const [, path = ""] = /^# yaml-language-server: \$schema=(.+)$/.exec(first) ?? [];
  expect(resolve(example, "..", path)).toBe(resolve(root, "keyturn.schema.json"));
});

test.each([
  ["an unknown key", { polcy: "x" }],
  ["an unknown type", { type: "oracle" }],
  ["an unknown option", { options: { host: "a", hots: "b" } }],
  ["an option of another type", { options: { server: "a" } }],
  ["an option left out", { options: {} }],
  ["options left out", { options: null }],
  ["three accounts", { accounts: ["a", "b", "c"] }],
  ["an unknown value of admin", { admin: "root" }],
  ["a bad name of a secret", { publish: "a/b" }],
  ["a bad duration", { grace: "1 day" }],
  ["a tag that is not text", { tags: { a: 1 } }],
])("editors and Keyturn both refuse %s", async (_what, fields) => {
  const text = withTarget(fields);
  expect(judge(fakeSchema, text)).not.toBe("valid");
  await expect(load(text)).rejects.toThrow("The configuration has");
});

test.each([
  ["one account", {}],
  ["a pair", { accounts: ["a", { name: "b", initial: "b-today" }], grace: "2h" }],
  ["an administrator", { admin: { secret: "root", vault: "main", account: "root" } }],
  [
    "a managed server",
    { type: "cloud-server", options: { server: "s" }, admin: "managed-identity" },
  ],
  ["tags", { tags: { env: "prod" }, publish: { secret: "x", as: "password" } }],
])("editors and Keyturn both accept %s", async (_what, fields) => {
  const text = withTarget(fields);
  expect(judge(fakeSchema, text)).toBe("valid");
  await expect(load(text)).resolves.toHaveProperty("warnings", []);
});

test("editors and Keyturn both require exactly one of every and manualOnly", () => {
  const policy = (fields: string) =>
    judge(fakeSchema, `version: 1\npolicies: { p: ${fields} }\n`) === "valid";
  expect(policy("{ every: 1d }")).toBe(true);
  expect(policy("{ manualOnly: true }")).toBe(true);
  expect(policy("{}")).toBe(false);
  expect(policy("{ every: 1d, manualOnly: true }")).toBe(false);
});

test("every field of the configuration is described for editors", () => {
  const missing: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      // The rotator describes its own options.
      if (key === "allOf") continue;
      if (key === "properties") {
        for (const [name, field] of Object.entries(value as Record<string, object>)) {
          if (!("description" in field)) missing.push(`${path}.${name}`);
        }
      }
      visit(value, `${path}.${key}`);
    }
  };
  visit(fakeSchema, "");
  expect(missing).toEqual([]);
});

test.each(rotators.map((rotator) => [rotator.type, rotator] as const))(
  "%s refuses unknown options",
  (_type, { options }) => {
    const issues = options.safeParse({ "no-such-option": 1 }).error?.issues ?? [];
    expect(issues.map(({ code }) => code)).toContain("unrecognized_keys");
  },
);
