/** Writes the generated parts of docs/reference/command-line.md from the command tree. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { withCommandTree } from "./command-line-page.ts";

const file = resolve(import.meta.dirname, "../docs/reference/command-line.md");
await writeFile(file, withCommandTree(await readFile(file, "utf8")));
console.log("docs/reference/command-line.md is up to date.");
