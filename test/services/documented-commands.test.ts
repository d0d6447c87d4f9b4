import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const pages = ["README.md", "docs/reference/command-line.md", "docs/runbook.md"];
let clone: string;

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), "keyturn-documented-"));
  await cp(join(root, "examples"), join(clone, "examples"), { recursive: true });
});

afterAll(async () => {
  await rm(clone, { recursive: true });
});

/** The shell blocks of a page that need only a fresh clone and no running app. */
async function listBlocks(page: string): Promise<string[]> {
  const text = await readFile(join(root, page), "utf8");
  const blocks = Array.from(text.matchAll(/^```sh\n([^]*?)^```$/gm), ([, block = ""]) => block);
  return blocks.filter((block) => {
    const commands = Array.from(block.matchAll(/npx keyturn .*/g), ([command]) => command);
    return commands.length > 0 && commands.every(needsNoApp) && !block.includes("$KEYTURN");
  });
}

const needsNoApp = (command: string) => /keyturn (?:check|plan|completion) /.test(command);

const blocks = (
  await Promise.all(
    pages.map(async (page) => (await listBlocks(page)).map((block) => [page, block] as const)),
  )
).flat();

test("README and docs show how to plan and to check", () => {
  expect(new Set(blocks.map(([page]) => page)).size).toBeGreaterThan(1);
});

test.each(blocks)("the commands of %s work on a fresh clone: %s", (_, block) => {
  const keyturn = `keyturn() { '${process.execPath}' '${join(root, "cli/main.ts")}' "$@"; }`;
  const script = `set -e\n${keyturn}\n${block.replaceAll("npx keyturn", "keyturn")}`;
  const { status, stderr } = spawnSync("bash", ["-c", script], { cwd: clone, encoding: "utf8" });
  expect(status, stderr).toBe(0);
});
