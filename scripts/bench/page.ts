import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where results are published: each figure between two marks of its own. */
const page = fileURLToPath(new URL("../../docs/explanation/performance.md", import.meta.url));

/** The text with what stands between the marks of the figure replaced. Throws when it has no such marks. */
export function withResult(text: string, figure: string, result: string): string {
  const [begin, end] = [`<!-- bench:${figure} -->`, `<!-- /bench:${figure} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page has no marks for the figure ${figure}.`);
  return `${text.slice(0, from + begin.length)}\n\n${result}\n\n${text.slice(to)}`;
}

/** Replaces the result of one figure in the page. */
export function publish(figure: string, result: string): void {
  writeFileSync(page, withResult(readFileSync(page, "utf8"), figure, result));
}
