import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../..");
const pages = ["*.md", "docs/**/*.md"].flatMap((glob) => globSync(glob, { cwd: root }));
const manifestShape = z.object({
  scripts: z.record(z.string(), z.string()),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const manifest = manifestShape.parse(JSON.parse(read("package.json")));

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** What the page says in prose: examples are no links and no headings. */
const readProse = (page: string): string => read(page).replaceAll(/^```[\s\S]*?^```$/gm, "");

function all(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found = ""]) => found);
}

/** As GitHub makes them. */
function listAnchors(page: string): string[] {
  return all(readProse(page), /^#{1,6} (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function leadsNowhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return true;
  return anchor !== undefined && !listAnchors(file).includes(anchor);
}

test.each(pages)("every link of %s leads to an existing file or heading", (page) => {
  const links = all(readProse(page), /\]\(([^)\s]+)\)/g).filter((link) => !/^https?:/.test(link));
  expect(links.filter((link) => leadsNowhere(page, link))).toEqual([]);
});

/** The pages that a page links to. */
const linkedFrom = (page: string): string[] =>
  all(readProse(page), /\]\(([^)\s]+)\)/g)
    .map((link) => join(dirname(page), link.split("#")[0] ?? ""))
    .filter((file) => pages.includes(file));

test("every page can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) linkedFrom(page).forEach((file) => reached.add(file));
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});

test.each(pages)("every file of the repository that %s names exists", (page) => {
  const top = /^(?:\.ci|docs|examples|functions|local|scripts|shared|test)\/[\w./*{},-]*$/;
  const named = all(read(page), /`([^`\s]+)`/g).filter((code) => top.test(code));
  const commands = all(read(page), /\b((?:docs|examples|scripts|test)\/[\w./-]+\.\w+)/g);
  const isMissing = (path: string) => globSync(path, { cwd: root }).length === 0;
  // Sources are TypeScript: what ends in .js is made by the build.
  const sources = [...named, ...commands].filter((path) => !path.endsWith(".js"));
  expect(sources.filter(isMissing)).toEqual([]);
});

test.each(pages)("every command of %s is in package.json", (page) => {
  const commands = [
    ...all(read(page), /\bnpm run ([\w:-]+)/g),
    ...all(read(page), /\bnpm (start|test)\b/g),
  ];
  expect(commands.filter((command) => manifest.scripts[command] === undefined)).toEqual([]);
});

test.each(pages)("every program that %s starts is a file or a dependency", (page) => {
  const started = all(read(page), /\bscripts\/run\.mjs ([\w./-]+)/g);
  const isThere = (what: string) =>
    existsSync(join(root, what)) ||
    what in manifest.dependencies ||
    what in manifest.devDependencies;
  expect(started.filter((what) => !isThere(what))).toEqual([]);
});
