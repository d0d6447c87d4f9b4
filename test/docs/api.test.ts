import { globSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type HttpFunctionOptions, type HttpRequest, InvocationContext } from "@azure/functions";
import { beforeAll, describe, expect, test, vi } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/reference/api.md"), "utf8");

const registered = vi.hoisted(() => new Map<string, HttpFunctionOptions>());
vi.mock("@azure/functions", () => {
  const ignored = () => undefined;
  const http = (_name: string, options: HttpFunctionOptions) => {
    for (const method of options.methods ?? []) {
      registered.set(`${method} /api/${options.route ?? ""}`, options);
    }
  };
  const hook = { appStart: ignored };
  const app = { http, hook, timer: ignored, storageQueue: ignored, eventGrid: ignored };
  return { app, InvocationContext: Object };
});

// Names are checked before anything is asked of the app.
vi.mock("../../functions/invocation/invocation-operations.ts", () => ({
  openOperations: () => Promise.resolve({}),
}));

beforeAll(async () => {
  for (const file of globSync("functions/*.ts", { cwd: root })) {
    await import(join(root, file));
  }
});

/** What the page says of each route, by its heading. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...rest] = section.split("\n");
      return [heading.replaceAll("`", ""), rest.join("\n")] as const;
    }),
);

/** The names that the app itself says are allowed, when it is given one that is not. */
async function allowed(route: string, query: string, body?: string): Promise<string[]> {
  const params = { target: "orders-db", rotation: "01ARZ3NDEKTSV4RRFFQ69G5FAV" };
  const bytes = Buffer.from(body ?? "");
  const request = {
    query: new URLSearchParams(query),
    params,
    headers: new Headers(body === undefined ? {} : { "content-type": "application/json" }),
    arrayBuffer: () => Promise.resolve(bytes),
  } as unknown as HttpRequest;
  const handler = registered.get(route)?.handler;
  const answer: unknown = await handler?.(request, new InvocationContext());
  const text = String(Reflect.get(Object(answer), "body"));
  const [, names = ""] = /Allowed: ([^.]*)\./.exec(text) ?? [];
  return names === "none" ? [] : names.split(", ");
}

/** The names in the first column of the table with this heading. */
function rowsUnder(heading: string, section: string): string[] {
  const [, table = ""] = section.split(`| ${heading} |`);
  const [rows = ""] = table.split("\n\n");
  return Array.from(rows.matchAll(/^\| `([\w-]+)` \|/gm), ([, name = ""]) => name);
}

describe("The reference of the API", () => {
  test("has a section for exactly the routes that the app registers", () => {
    expect([...sections.keys()].sort()).toEqual([...registered.keys()].sort());
  });

  test("lists exactly the query parameters of each route", async () => {
    for (const [route, section] of sections) {
      const names = await allowed(route, "no-such-parameter=1");
      expect([route, ...rowsUnder("Query", section)]).toEqual([route, ...names]);
    }
  });

  test("lists exactly the fields of each JSON body", async () => {
    const withBody = [...sections].filter(([, section]) => section.includes("| Body |"));
    expect(withBody).toHaveLength(3);
    for (const [route, section] of withBody) {
      const names = await allowed(route, "", '{"no-such-field":1}');
      expect([route, ...rowsUnder("Body", section).sort()]).toEqual([route, ...names.sort()]);
    }
  });

  test("explains each status of an error", async () => {
    const source = await readFile(join(root, "functions/http/answers.ts"), "utf8");
    const statuses = Array.from(source.matchAll(/^ {2}(\d{3}): "/gm), ([, status = ""]) => status);
    const explained = Array.from(page.matchAll(/^\| (\d{3}) \|/gm), ([, status = ""]) => status);
    expect(explained).toEqual(statuses);
  });
});
