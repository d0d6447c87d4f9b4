import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Replaces the text between the marks of the figure. Throws when the page has no such marks. */
export function withResult(text: string, figure: string, result: string): string {
  const [begin, end] = [`<!-- bench:${figure} -->`, `<!-- /bench:${figure} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no marks for the figure ${figure}.`);
  return `${text.slice(0, from + begin.length)}\n\n${result}\n\n${text.slice(to)}`;
}

/** Replaces the result of one figure, which is between two marks in a page of docs/explanation. */
export function publish(page: string, figure: string, result: string): void {
  const file = fileURLToPath(new URL(`../../../docs/explanation/${page}.md`, import.meta.url));
  writeFileSync(file, withResult(readFileSync(file, "utf8"), figure, result));
}
