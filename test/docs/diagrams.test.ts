import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import DOMPurify from "dompurify";
import { beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].sort();

const diagrams = pages.flatMap((page) =>
  Array.from(
    readFileSync(join(root, page), "utf8").matchAll(/^```mermaid\n([^]*?)^```$/gm),
    ([, text = ""], index) => [page, index + 1, text] as const,
  ),
);

/** As `mermaid.parse` answers. Throws what is wrong with the diagram. */
let parse: (text: string) => Promise<{ diagramType: string }>;

beforeAll(async () => {
  // The sanitizer of mermaid works in a browser only. The parser hands it texts that are not shown to anybody here.
  Object.assign(DOMPurify, { addHook: () => undefined, sanitize: (text: string) => text });
  const { default: mermaid } = await import("mermaid");
  parse = (text) => mermaid.parse(text);
});

test("the pages have diagrams", () => {
  expect(diagrams.length).toBeGreaterThan(0);
});

describe("The diagram", () => {
  test.each(diagrams)("of %s, number %i, can be drawn", async (_page, _number, text) => {
    await expect(parse(text)).resolves.toHaveProperty("diagramType");
  });
});

test.each(["flowchart LR\n a --> --> b", "stateDiagram-v2\n a --> --> b", "no-such-diagram\n a"])(
  "a diagram that cannot be drawn is found: %s",
  async (text) => {
    await expect(parse(text)).rejects.toThrow();
  },
);
