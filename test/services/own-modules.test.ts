import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../servers/cache/run.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-modules-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

const yaml = (modules: readonly string[]) =>
  [
    "version: 1",
    "rotators:",
    ...modules.map((path) => `  - ${path}`),
    "vaults: { main: { url: https://kv.vault.azure.net } }",
    "policies: { default: { every: 90d, afterExposure: 4h } }",
    "targets:",
    "  app: { type: mine, options: { host: a.example }, accounts: [app], admin: self, publish: app }",
    "",
  ].join("\n");

const rotator = (type: string, more = "") => `
import { defineRotator, z } from "keyturn/rotator";
${more}
export default defineRotator({
  type: "${type}",
  options: z.strictObject({ host: z.string() }),
  capabilities: { selfService: true, admin: false, identity: false, propagation: 0 },
  endpoint: ({ host }: { host: string }) => ({ engine: "mine", host, port: 1 }),
  apply: ({ next }) => Promise.resolve({ credential: next }),
  verify: () => Promise.resolve("accepted" as const),
});
`;

const keyturn = (...args: readonly string[]) =>
  run([process.execPath, join(root, "cli/main.ts"), ...args]);

/** Problems by the path of the module that has them. */
async function problemsOf(modules: readonly string[]): Promise<ReadonlyMap<string, string>> {
  await write("keyturn.yaml", yaml(modules));
  const script = `import { checkConfig, listConfigProblems } from ${JSON.stringify(join(root, "shared/app.ts"))};
    const found = await checkConfig("keyturn.yaml", ${JSON.stringify(folder)}).then(() => [], listConfigProblems);
    console.log(JSON.stringify(found));`;
  const output = await run([process.execPath, "--input-type=module", "--eval", script]);
  const found = JSON.parse(output) as readonly { path: string; message: string }[];
  return new Map(
    found.map(({ path, message }) => [
      modules[Number(/^rotators\[(\d+)\]$/.exec(path)?.[1])] ?? path,
      message,
    ]),
  );
}

test("each module that cannot be used is explained, and its type is not called unknown", async () => {
  await write("syntax.ts", "export default {{;");
  await write("enum.ts", "enum A { b }\nexport default A;");
  await write("package.ts", 'import "no-such-package-of-anyone";');
  await write("file.ts", 'import "./helper.js";');
  await write("nothing.ts", "export const other = 1;");
  await write("plain.ts", 'export default { type: "mine" };');
  await write("throws.ts", 'throw new Error("no licence file");');
  await write("wrong.ts", rotator("Mine!"));
  await write("redis.ts", rotator("redis"));
  await symlink(join(root, "shared/app.ts"), join(folder, "outside.ts"));
  const problems = await problemsOf([
    ...["syntax", "enum", "package", "file", "nothing", "plain", "throws", "wrong", "redis"].map(
      (name) => `./${name}.ts`,
    ),
    ...["./outside.ts", "./missing.ts"],
  ]);
  const expected: readonly (readonly [string, RegExp])[] = [
    ["./syntax.ts", /^has a syntax error: /],
    ["./enum.ts", /^uses TypeScript that Node cannot run/],
    ["./package.ts", /no-such-package-of-anyone, which is not installed/],
    ["./file.ts", /^imports .*helper\.js, which does not exist/],
    ["./nothing.ts", /^has no default export/],
    ["./plain.ts", /that defineRotator of keyturn\/rotator did not make$/],
    ["./throws.ts", /^failed when it was imported: Error: no licence file$/],
    ["./wrong.ts", /must have a type of 1 to 63 lower-case letters/],
    ["./redis.ts", /^defines the type redis, as Keyturn does; give it a name of its own$/],
    ["./outside.ts", /^leads out of the folder/],
    ["./missing.ts", /^does not exist/],
  ];
  expect([...problems.keys()]).toEqual(expected.map(([path]) => path));
  for (const [path, message] of expected) expect(problems.get(path)).toMatch(message);
});

test("the build bundles a module with its package, and the package knows it without the file", async () => {
  await write(
    "node_modules/tiny-driver/package.json",
    '{ "name": "tiny-driver", "version": "1.0.0", "license": "MIT", "type": "module", "main": "main.js" }',
  );
  await write("node_modules/tiny-driver/main.js", 'export const driver = "the tiny driver";');
  await write(
    "rotators/mine.ts",
    rotator("mine", 'import { driver } from "tiny-driver";\nconsole.assert(driver);'),
  );
  await write("keyturn.yaml", yaml(["./rotators/mine.ts"]));
  const dist = join(folder, "dist");
  await run([
    process.execPath,
    join(root, "scripts/build.ts"),
    "--out",
    dist,
    "--config",
    join(folder, "keyturn.yaml"),
  ]);
  expect(await readFile(join(dist, "THIRD-PARTY-LICENCES.txt"), "utf8")).toContain("tiny-driver");
  await rm(join(folder, "rotators"), { recursive: true });
  const text = await readFile(join(dist, "keyturn.yaml"), "utf8");
  const ask = `import { Worker } from "node:worker_threads";
    const ask = (text) => new Promise((done) => {
      const worker = new Worker(${JSON.stringify(join(dist, "workers/check-edited.js"))}, { workerData: [], execArgv: [] });
      worker.on("message", (said) => said.kind === "ready" ? worker.postMessage({ kind: "edited", text }) : done(said));
    });
    const known = await ask(${JSON.stringify(text)});
    const other = await ask(${JSON.stringify(text.replace("mine.ts", "other.ts"))});
    console.log(JSON.stringify([known.edited.targets[0].type, other.problems.map((one) => one.message)]));
    process.exit();`;
  const answer = await run([process.execPath, "--input-type=module", "--eval", ask]);
  expect(JSON.parse(answer)).toEqual([
    "mine",
    [expect.stringMatching(/^is not in this package\./)],
  ]);
});

test("a posted text names only modules that the app has imported, and never a file", async () => {
  const ask = `import { checkConfig, editedConfig, listConfigProblems } from ${JSON.stringify(join(root, "shared/app.ts"))};
    import { readFile } from "node:fs/promises";
    const text = await readFile("keyturn.yaml", "utf8");
    const refused = await editedConfig(text).then(() => "accepted", (error) => listConfigProblems(error)[0].message);
    await checkConfig("keyturn.yaml", process.cwd());
    const { targets } = await editedConfig(text);
    console.log(JSON.stringify([refused, targets[0].type]));`;
  const example = join(root, "examples/rotators/openldap");
  const answer = await run([
    ...["sh", "-c", 'cd "$1" && exec "$2" --input-type=module --eval "$3"'],
    ...["sh", example, process.execPath, ask],
  ]);
  expect(JSON.parse(answer)).toEqual([
    expect.stringContaining("a module is never taken from a blob or a request"),
    "openldap",
  ]);
});

test("the example with a module of its own is valid, and its schema has the type", async () => {
  const config = join(root, "examples/rotators/openldap/keyturn.yaml");
  expect(await keyturn("check", "--config", config)).toMatch(
    / is valid: 1 target, .* 0 warnings\.\n$/,
  );
  expect(await keyturn("schema", "--config", config)).toContain('"openldap"');
  expect(await keyturn("schema")).not.toContain('"openldap"');
});

test("a new rotator can be used at once, and is never written over another", async () => {
  const inFolder = (...args: readonly string[]) =>
    run([
      ...["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder],
      ...[process.execPath, join(root, "cli/main.ts"), ...args],
    ]);
  expect(await inFolder("new-rotator", "oracle-db")).toContain("wrote rotators/oracle-db.test.ts");
  const written = await readFile(join(folder, "rotators/oracle-db.ts"), "utf8");
  expect(written).toContain('type: "oracle-db"');
  expect(written).not.toMatch(/skeleton/i);
  await write("rotators/oracle-db.ts", `${written}\n// Changed by its author.\n`);
  await expect(inFolder("new-rotator", "oracle-db")).rejects.toThrow("so nothing was written");
  await expect(inFolder("new-rotator", "postgresql")).rejects.toThrow("of type postgresql already");
  await expect(inFolder("new-rotator", "../x")).rejects.toThrow("The name must be 1 to 63");
  expect(await readFile(join(folder, "rotators/oracle-db.ts"), "utf8")).toContain("by its author");
  await write(
    "keyturn.yaml",
    yaml(["./rotators/oracle-db.ts"]).replace("type: mine", "type: oracle-db"),
  );
  expect(await inFolder("check")).toContain("keyturn.yaml is valid: 1 target");
});
