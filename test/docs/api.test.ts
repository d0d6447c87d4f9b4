import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { problemKinds } from "../../functions/http/problem-kinds.ts";
import { writeApiReference } from "../../scripts/api-reference/write-page.ts";
import { type Operation, routes } from "../functions/requests/answer-checks.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/reference/api.md"), "utf8");

/** The content of the page about each route, by its heading. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...rest] = section.split("\n");
      return [heading.replaceAll("`", ""), rest.join("\n").split(/^## /m)[0] ?? ""] as const;
    }),
);

/** The names in the first column of the table with this heading. */
function rowsUnder(heading: string, section: string): string[] {
  const [, table = ""] = section.split(`| ${heading} |`);
  const [rows = ""] = table.split("\n\n");
  return Array.from(rows.matchAll(/^\| `([\w-]+)` \|/gm), ([, name = ""]) => name);
}

const parametersOf = ({ parameters = [] }: Operation, place: string) =>
  parameters.filter((it) => it.in === place).map(({ name }) => name);

describe("The reference of the API", () => {
  test("is up to date; otherwise run: node scripts/run.mjs scripts/write-api-reference.ts", () => {
    expect(page).toBe(writeApiReference());
  });

  test.each(routes)("has a complete section about $method $path", ({ method, path, operation }) => {
    const section = sections.get(`${method} ${path}`) ?? "";
    const { properties = {} } = operation.requestBody?.content["application/json"]?.schema ?? {};
    expect(rowsUnder("Query", section)).toEqual(parametersOf(operation, "query"));
    expect(rowsUnder("Header", section)).toEqual(parametersOf(operation, "header"));
    expect(rowsUnder("Body", section)).toEqual(Object.keys(properties));
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      if (Object.keys(content).length === 0) continue;
      const isProblem = "application/problem+json" in content;
      expect(section).toContain(isProblem ? `(${status})` : `${status}: `);
    }
  });

  test("explains each kind of problem", () => {
    const kinds = Array.from(page.matchAll(/^\| `([\w-]+)` \| (\d{3}) \|/gm), ([, kind]) => kind);
    expect(kinds).toEqual(Object.keys(problemKinds));
  });

  test("has a link wherever a description names another page", () => {
    expect(page).not.toMatch(/reference of (?:errors|events)(?!\])/);
    expect(page).toContain("[Storage is down](../runbook.md#storage-is-down)");
  });
});
