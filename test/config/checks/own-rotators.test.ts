import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig, type LoadOptions } from "../../../shared/config/load.ts";
import { makeJsonSchema } from "../../../shared/config/schema/definition.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { listProblems, makeFolder, problemLines, withTarget } from "../written.ts";

const [relational] = fakeRotators;
const opened: string[] = [];

/** Opens modules whose file name is their type, and refuses those that are named broken. */
const openModule: NonNullable<LoadOptions["openModule"]> = (path) => {
  opened.push(path);
  const [, type = ""] = /([\w-]+)\.ts$/.exec(path) ?? [];
  if (type === "broken" || !relational) return Promise.resolve({ problem: "has a syntax error" });
  return Promise.resolve({ rotator: { ...relational, type } });
};

const written = (modules: readonly string[], type: string): string =>
  withTarget({ type }).replace("vaults:", `rotators: ${JSON.stringify(modules)}\nvaults:`);

async function loadWith(files: Readonly<Record<string, string>>) {
  const folder = await makeFolder(files);
  return loadConfig(join(folder, Object.keys(files).length > 1 ? "" : "keyturn.yaml"), {
    rotators: fakeRotators,
    openModule,
  });
}

const problemsOf = (modules: readonly string[], type = "relational") =>
  problemLines(loadWith({ "keyturn.yaml": written(modules, type) }));

test("a target may have the type of a module, whose options are checked", async () => {
  const config = await loadWith({ "keyturn.yaml": written(["./rotators/oracle.ts"], "oracle") });
  expect(config.modules).toEqual(["./rotators/oracle.ts"]);
  expect(config.targets).toMatchObject([{ type: "oracle", options: { port: 5432 } }]);
});

test.each([
  "/etc/rotators/oracle.ts",
  "../oracle.ts",
  "./rotators/../../oracle.ts",
  "./../oracle.ts",
  "rotators/oracle.ts",
  "https://example.com/oracle.ts",
  "file:///oracle.ts",
  "./rotators\\oracle.ts",
  "./.hidden/oracle.ts",
  "./rotators//oracle.ts",
  "./rotators/oracle.cjs",
  "./rotators/oracle.ts?x",
  "./node_modules/oracle/oracle.js",
  "./rotators/%2e%2e/oracle.ts",
])("the path %s is refused, and nothing is imported", async (path) => {
  opened.length = 0;
  const [problem = "", ...others] = await problemsOf([path]);
  expect(problem).toMatch(/^keyturn\.yaml:\d+:\d+ {2}rotators\[0\]: must /);
  expect(others).toEqual([]);
  expect(opened).toEqual([]);
});

test("a module that cannot be opened is the only problem: its type is not called unknown", async () => {
  const problems = await problemsOf(["./rotators/broken.ts"], "broken");
  expect(problems).toEqual([
    expect.stringMatching(/^keyturn\.yaml:2:12 {2}rotators\[0\]: has a syntax error$/),
  ]);
});

test("a type that no module and no part of Keyturn defines is refused", async () => {
  expect(await problemsOf(["./rotators/oracle.ts"], "oracel")).toEqual([
    expect.stringContaining("targets.orders.type"),
  ]);
});

test.each([
  [["./rotators/relational.ts"], "rotators[0]: defines the type relational, as Keyturn does"],
  [["./a/oracle.ts", "./b/oracle.ts"], "rotators[1]: defines the type oracle, as ./a/oracle.ts"],
  [["./a/oracle.ts", "./a/oracle.ts"], "rotators[1]: is named twice; remove one"],
])("%j is refused", async (modules, message) => {
  expect(await problemsOf(modules)).toEqual([expect.stringContaining(message)]);
});

test("two files of a folder may name the same module, which is opened once", async () => {
  opened.length = 0;
  const vaults = "vaults: { main: { url: https://kv.vault.azure.net } }";
  const target = (id: string) =>
    `targets: { ${id}: { type: oracle, options: { host: a }, accounts: [${id}], admin: self, publish: ${id} } }`;
  const head = "version: 1\nrotators: [./oracle.ts]\n";
  const config = await loadWith({
    "one.yaml": `${head}${vaults}\npolicies: { default: { every: 90d } }\n${target("one")}`,
    "two.yaml": `${head}${target("two")}`,
  });
  expect(config.targets).toHaveLength(2);
  expect(opened).toEqual(["./oracle.ts"]);
});

test("a configuration without a folder may name no module", async () => {
  expect(await listProblems(written(["./rotators/oracle.ts"], "oracle"))).toEqual([
    expect.stringContaining("rotators[0]: cannot be used here"),
  ]);
});

test.each([
  [[], "relational", "valid"],
  [[], "oracle", "not valid"],
  [["./rotators/oracle.ts"], "oracle", "valid"],
  [["./rotators/oracle.ts"], "Oracle!", "not valid"],
  [["../oracle.ts"], "oracle", "not valid"],
])("editors find modules %j with the type %s %s", (modules, type, expected) => {
  const text = modules.length > 0 ? written(modules, type) : withTarget({ type });
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const isValid = ajv.validate(makeJsonSchema(fakeRotators), parse(text));
  expect(isValid ? "valid" : "not valid").toBe(expected);
});
