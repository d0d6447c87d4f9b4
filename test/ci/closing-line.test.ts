import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closingLine } from "../closing-line.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-closing-line-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the real test runner on temporary test files, and returns its last line and exit code. */
async function runVitest(files: Record<string, string>) {
  for (const [name, body] of Object.entries(files)) await writeFile(join(folder, name), body);
  const reporters = ["default", join(root, "test/closing-line.ts")];
  const args = ["run", "--globals", "--root", folder];
  const child = spawn(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...args,
      ...reporters.map((name) => `--reporter=${name}`),
    ],
    { cwd: folder, stdio: ["ignore", "pipe", "ignore"] },
  );
  const code = new Promise<number | null>((done) => child.once("close", done));
  const lines = (await text(child.stdout)).split("\n");
  expect(lines.pop()).toBe("");
  return { lines, last: lines.at(-1), code: await code };
}

test("skipped tests are counted only when there are some", () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe("Tests: 3 passed, 0 failed");
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe(
    "Tests: 3 passed, 1 failed, 2 skipped",
  );
});

test("a green run ends with its count", async () => {
  const files = {
    "a.test.js": 'test("one", () => {}); describe("d", () => test("two", () => {}));',
  };
  expect(await runVitest(files)).toMatchObject({ last: "Tests: 2 passed, 0 failed", code: 0 });
});

test("each file has a line when it starts, unless a terminal shows the progress", async () => {
  const body = 'test("one", () => {});';
  const { lines } = await runVitest({ "a.test.js": body, "b.test.js": body });
  const begins = lines.filter((line) => line.startsWith("["));
  expect(begins).toHaveLength(2);
  expect(begins.map((line) => line.replace(/^\[\d\/2\] /, "")).toSorted()).toEqual([
    "a.test.js",
    "b.test.js",
  ]);
  expect(begins[0]).toMatch(/^\[1\/2\] /);
});

test("files that cannot load, broken hooks and stray rejections count as failures", async () => {
  const files = {
    "cannot-load.test.js": 'import "./missing.js"; test("one", () => {});',
    "hook.test.js": 'beforeAll(() => { throw new Error("no"); }); test("one", () => {});',
    "mixed.test.js": 'test("one", () => {}); test("two", () => expect(1).toBe(2)); test.skip("x");',
    "stray.test.js": 'test("one", () => { Promise.reject(new Error("stray")); });',
  };
  const { last, code } = await runVitest(files);
  expect(last).toBe("Tests: 2 passed, 4 failed, 2 skipped");
  expect(code).toBe(1);
});

test("a run without tests does not look like success", async () => {
  expect(await runVitest({})).toMatchObject({ last: "Tests: 0 passed, 1 failed", code: 1 });
});
