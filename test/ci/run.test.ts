import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/** Makes a project with a copy of the bootstrap, and a fake npm that records its calls. */
let project: string;

const lockfile = (version: string): string =>
  JSON.stringify({
    packages: {
      "": { name: "sample" },
      "node_modules/greet": { version, integrity: `sha512-${version}` },
      "node_modules/other-platform": { version: "1.0.0", optional: true },
    },
  });

/** Imitates the effects of `npm ci` that the bootstrap checks. */
const npmStandIn = `
  const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
  appendFileSync("npm-calls.txt", process.argv.slice(2).join(" ") + "\\n");
  if (process.env.NPM_FAILS) { console.error("npm: no network"); process.exit(7); }
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  delete lock.packages["node_modules/other-platform"];
  delete lock.packages[""];
  mkdirSync("node_modules/greet", { recursive: true });
  writeFileSync("node_modules/greet/package.json", JSON.stringify({ name: "greet", bin: "./greet.js" }));
  writeFileSync("node_modules/greet/greet.js", "console.log('hello', ...process.argv.slice(2))");
  writeFileSync("node_modules/.package-lock.json", JSON.stringify(lock));
`;

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), content);
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { KEYTURN_NODE: _, ...outer } = process.env;
  return spawn(process.execPath, ["scripts/run.mjs", ...args], {
    cwd: project,
    env: { ...outer, npm_execpath: join(project, "npm-cli.cjs"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = start(args, env);
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, code: await code };
}

async function npmCalls(): Promise<string[]> {
  const calls = await readFile(join(project, "npm-calls.txt"), "utf8").catch(() => "");
  return calls.split("\n").filter((line) => line !== "");
}

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "keyturn-run-"));
  await mkdir(join(project, "scripts"));
  await copyFile(
    resolve(import.meta.dirname, "../../scripts/run.mjs"),
    join(project, "scripts/run.mjs"),
  );
  await write("npm-cli.cjs", npmStandIn);
  await write("package.json", JSON.stringify({ devDependencies: { greet: "1.0.0" } }));
  await write("package-lock.json", lockfile("1.0.0"));
});

afterEach(async () => {
  await rm(project, { recursive: true, force: true });
});

describe("installing", () => {
  test("the locked dependencies are installed first on a fresh clone, with a message", async () => {
    const { out, err, code } = await run(["greet", "you"]);
    expect({ out, code }).toEqual({ out: "hello you\n", code: 0 });
    expect(err).toBe(
      "Installing the locked dependencies (npm ci), because they are not installed yet; this takes a minute.\n",
    );
    expect(await npmCalls()).toEqual(["ci --no-audit --no-fund --loglevel=error"]);
  });

  test("nothing is installed again while the lockfile does not change", async () => {
    await run(["greet"]);
    const { err } = await run(["greet"]);
    expect(err).toBe("");
    expect(await npmCalls()).toHaveLength(1);
  });

  test("a changed lockfile leads to one more install", async () => {
    await run(["greet"]);
    await write("package-lock.json", lockfile("1.0.1"));
    const { err } = await run(["greet"]);
    expect(err).toContain("because package-lock.json has changed");
    expect(await npmCalls()).toHaveLength(2);
  });

  test("an interrupted install is repeated", async () => {
    await run(["greet"]);
    await rm(join(project, "node_modules/.package-lock.json"));
    await run(["greet"]);
    expect(await npmCalls()).toHaveLength(2);
  });

  test("a failed install stops with a message and without a stack", async () => {
    const { out, err, code } = await run(["greet"], { NPM_FAILS: "1" });
    expect({ out, code }).toEqual({ out: "", code: 1 });
    expect(err).toContain("npm: no network");
    expect(err).toContain('"npm ci" failed (exit code 7)');
    expect(err).not.toContain("    at ");
  });
});

describe("choosing Node", () => {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const ownNode = `node_modules/node-${platform}-${process.arch}/bin/node`;

  async function installNode(script: string): Promise<void> {
    await run(["greet"]);
    await write(ownNode, `#!/bin/sh\n${script}\n`);
    await chmod(join(project, ownNode), 0o755);
  }

  test("the Node from the dependencies is used and is first on the path", async () => {
    await installNode(
      `[ "$1" = --version ] && echo v22.20.0 && exit; echo "own $PATH"; exec "${process.execPath}" "$@"`,
    );
    const { out } = await run(["greet"]);
    expect(out).toContain(`own ${join(project, dirname(ownNode))}:`);
    expect(out).toContain("hello");
  });

  test.each([
    ["does not run here", "exit 126"],
    ["is too old", "echo v20.19.0"],
  ])("an installed Node that %s is ignored", async (_, script) => {
    await installNode(script);
    expect(await run(["greet"])).toEqual({ out: "hello\n", err: "", code: 0 });
  });

  test("the bootstrap stops with a message when no Node is new enough", async () => {
    await run(["greet"]);
    await write("old.cjs", 'Object.defineProperty(process, "version", { value: "v20.19.0" });');
    const { out, err, code } = await run(["greet"], { NODE_OPTIONS: "--require ./old.cjs" });
    expect({ out, code }).toEqual({ out: "", code: 1 });
    expect(err).toMatch(/^Keyturn needs Node 22\.18 or later, and this is v20\.19\.0\. .*\.\n$/);
  });
});

test("package.json accepts the Node from which the bootstrap starts, so npx prints no warning", async () => {
  const root = resolve(import.meta.dirname, "../..");
  const [readme, manifest] = await Promise.all(
    ["README.md", "package.json"].map((file) => readFile(join(root, file), "utf8")),
  );
  const [, node] = /Node (\d+) or later/.exec(readme ?? "") ?? [];
  expect(JSON.parse(manifest ?? "")).toMatchObject({ engines: { node: `>=${node}` } });
});

describe("running", () => {
  test("a TypeScript file receives its arguments, and its exit code is returned", async () => {
    const body = "const args: string[] = process.argv.slice(2); process.exitCode = args.length;";
    await write("count.ts", body);
    const { code } = await run(["count.ts", "--once", "two words", "$HOME"]);
    expect(code).toBe(3);
  });

  test("an unknown program is named", async () => {
    const { err, code } = await run(["missing"]);
    expect(err).toContain('No dependency of this project has a program "missing".');
    expect(code).toBe(1);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s reaches the child, and the wrapper waits until the child ends",
    async (signal) => {
      await write(
        "server.mjs",
        `process.on("${signal}", () => { console.log("closing"); clearInterval(alive); process.exitCode = 5; });
         const alive = setInterval(() => {}, 1000);
         console.log("ready");`,
      );
      await run(["greet"]);
      const child = start(["server.mjs"]);
      const code = new Promise<number | null>((done) => child.once("close", done));
      child.stdout.once("data", () => child.kill(signal));
      expect(await text(child.stdout)).toBe("ready\nclosing\n");
      expect(await code).toBe(5);
    },
  );

  test("a child that a signal ended gives the same exit code as in a shell", async () => {
    await write("ends.mjs", 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    expect((await run(["ends.mjs"])).code).toBe(137);
  });
});
