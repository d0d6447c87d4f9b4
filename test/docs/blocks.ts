import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** The pages whose every command and every piece of configuration is tested. */
export const guides = [
  "README.md",
  "docs/quickstart.md",
  "docs/runbook.md",
  ...globSync("docs/{how-to,rotators}/*.md", { cwd: root }).sort(),
];

/** The pages whose every command is tested. */
export const commandPages = [
  ...guides,
  ...globSync("docs/*.md", { cwd: root }).sort(),
  ...globSync("docs/{reference,explanation}/**/*.md", { cwd: root }).sort(),
].filter((page, index, all) => all.indexOf(page) === index);

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What the mark before it names, such as Azure: the block cannot run here. */
  readonly needs?: string;
}

export const read = (file: string): string => readFileSync(join(root, file), "utf8");

export function listBlocks(page: string): Block[] {
  const text = read(page);
  return Array.from(text.matchAll(/^```(\w*)\n([^]*?)^```$/gm), (match) => {
    const [, language = "", inside = ""] = match;
    const before = text.slice(0, match.index);
    const [, needs] = /<!-- needs (\w+) -->\n$/.exec(before) ?? [];
    const line = before.split("\n").length;
    return { page, line, language, text: inside, ...(needs !== undefined && { needs }) };
  });
}

export const allBlocks = guides.flatMap(listBlocks);

/** For messages: where the block is. */
export const formatPlace = ({ page, line }: Block): string => `${page}:${line}`;

export const isComplete = ({ language, text }: Block): boolean =>
  language === "yaml" && /^version: 1$/m.test(text);

/** A folder as a reader has it: the examples, and what the page says to save as keyturn.yaml. */
export async function folderFor(page: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-guide-"));
  await cp(join(root, "examples"), join(folder, "examples"), { recursive: true });
  const configuration = listBlocks(page).find(isComplete);
  const file = join(folder, "keyturn.yaml");
  if (configuration) await writeFile(file, configuration.text);
  else await cp(join(root, "examples", "keyturn.yaml"), file);
  return folder;
}

/** A command and its arguments, as the shell hands them over. */
export type Call = readonly string[];

const prelude = [
  "CP=$(command -v cp) SED=$(command -v sed) PATH=/nowhere",
  'cp() { "$CP" "$@"; }; sed() { "$SED" "$@"; }',
  "record() { printf '%s\\x1f' \"$@\"; printf '\\x1e'; }",
  ...["npm", "npx", "node", "curl"].map((name) => `${name}() { record ${name} "$@"; }`),
];

/**
 * Runs blocks in one bash. Only `cp` and `sed` really run; calls of npm, npx, node and curl are recorded, for each block. Any other
 * program does not exist, so a block that needs one must say so with a mark. Throws where a command fails.
 */
export function callsIn(blocks: readonly Block[], folder: string): Call[][] {
  const env = { PATH: process.env["PATH"], KEYTURN: "https://app.example", KEY: "a-key" };
  const parts = blocks.map(
    (block) => `(\nset -e\n${block.text}) || failed ${formatPlace(block)}\necho -n $'\\x1d'`,
  );
  const failed =
    'failed() { echo "$1: this block cannot run here, and no mark says so" >&2; exit 1; }';
  const script = [...prelude, failed, ...parts].join("\n");
  const run = spawnSync("bash", ["--norc", "-c", script], { cwd: folder, env, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  const ofBlocks = run.stdout.split("\x1d").slice(0, -1);
  return ofBlocks.map((recorded) => {
    const calls = recorded.split("\x1e").slice(0, -1);
    return calls.map((call) => call.split("\x1f").slice(0, -1));
  });
}

/** What bash says of the syntax of these blocks; empty when nothing is wrong. */
export function syntaxProblems(blocks: readonly Block[]): string {
  const checks = blocks.map((block) => {
    const functionOf = `check() {\n${block.text}\n}`;
    return `eval ${quoted(functionOf)} || echo ${formatPlace(block)} >&2`;
  });
  return spawnSync("bash", ["--norc", "-c", checks.join("\n")], { encoding: "utf8" }).stderr;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
