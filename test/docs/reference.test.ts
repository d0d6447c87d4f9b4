import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { withCommandTree } from "../../scripts/command-line-page.ts";
import { errorGuide } from "../../shared/core/error-guide.ts";
import { errorKinds } from "../../shared/core/errors.ts";
import { type EventType, toEvent } from "../../shared/core/events.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const events = read("docs/reference/events.md");
const errors = read("docs/reference/errors.md");
const settings = read("docs/reference/app-settings.md");
const architecture = read("docs/architecture.md");

function all(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found = ""]) => found);
}

/** The members of a union of strings, as its source lists them. */
function listMembers(file: string, type: string): string[] {
  const [, union = ""] = read(file).split(`export type ${type} =`);
  return all(union.split(";")[0] ?? "", /\| "([\w-]+)"/g);
}

/** The names in the first column of the tables below a heading, without the head of a table. */
function rowsBelow(page: string, heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  return all(section.split("\n## ")[0] ?? "", /^\| `([\w.-]+)` \|.*\n(?!\|---)/gm).sort();
}

test("the page about events has every type of event, with its severity, and no other", () => {
  const types = listMembers("shared/core/events.ts", "EventType");
  expect(rowsBelow(events, "Log events")).toEqual(types.sort());
  for (const type of types) {
    const { severity } = toEvent({ type: type as EventType, at: "2026-01-01T00:00:00.000Z" });
    const row = events.split("\n").find((line) => line.startsWith(`| \`${type}\` |`)) ?? "";
    expect([type, row.endsWith(`| ${severity} |`)]).toEqual([type, true]);
  }
});

test("the page about events has every notification, and no other", () => {
  const types = all(read("shared/notifiers/cloud-event.ts"), /"(Keyturn\.[\w.]+)"/g);
  expect(rowsBelow(events, "Notifications")).toEqual(types.sort());
});

test("the pages about errors have every kind of error, and no other", () => {
  const kinds = errorKinds.toSorted();
  expect(rowsBelow(errors, "Kinds")).toEqual(kinds);
  const isKind = (row: string) => !row.endsWith("Error");
  expect(rowsBelow(architecture, "Errors").filter(isKind)).toEqual(kinds);
});

test("the page about errors explains each kind with the texts that explanations of targets use", () => {
  const rows = errorKinds.map((kind) => {
    const { means, reaction, cure = "Nothing", see } = errorGuide[kind];
    const more = see === undefined ? "" : `. See ${see}`;
    return `| \`${kind}\` | ${means} | ${reaction} | ${cure}${more} |`;
  });
  expect(errors).toContain(rows.join("\n"));
});

test("the architecture page has every class of error of the core", () => {
  const classes = all(read("shared/core/errors.ts"), /^export class (\w+)/gm);
  expect(classes.filter((name) => !architecture.includes(`\`${name}\``))).toEqual([]);
});

test("each function of the call map is in the file that its row names", () => {
  const [, section = ""] = architecture.split("\n## Call map");
  const [table = ""] = section.split("\n## ");
  const rows = Array.from(
    table.matchAll(/^\| \[([\w./-]+)\]\([^)]*\) \| ([^|]+) \|/gm),
    ([, file = "", names = ""]) => ({ file, names: all(names, /[`.](\w+)/g) }),
  );
  expect(rows.length).toBeGreaterThan(20);
  const missing = rows.flatMap(({ file, names }) =>
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(read(file))),
  );
  expect(missing).toEqual([]);
});

test("the page about the command line is generated from the present command tree", () => {
  const page = read("docs/reference/command-line.md");
  expect(page).toContain("### rotate\n");
  expect(page, "node scripts/run.mjs scripts/write-command-line.ts writes it").toBe(
    withCommandTree(page),
  );
});

test("the page about policies has every field that the schema has, and no other", () => {
  interface Node {
    readonly properties?: Readonly<Record<string, Node>>;
    readonly additionalProperties?: Node;
  }
  const schema = JSON.parse(read("keyturn.schema.json")) as Node;
  const fields = schema.properties?.["policies"]?.additionalProperties?.properties ?? {};
  const parts = ["password", "retry", "timeouts"];
  const own = Object.keys(fields).filter((name) => !parts.includes(name));
  const inner = parts.flatMap((part) =>
    Object.keys(fields[part]?.properties ?? {}).map((name) =>
      part === "password" ? name : `${part}.${name}`,
    ),
  );
  const rows = all(read("docs/reference/policies.md"), /^\| `([\w.]+)` \| `/gm);
  expect(own.length).toBeGreaterThan(15);
  expect(rows.sort()).toEqual([...own, ...inner].sort());
});

test("the page about app settings has every setting that the app checks", () => {
  const [, checks = ""] = read("shared/config/settings.ts").split("const checks");
  const names = all(checks.split("\n};")[0] ?? "", /^ {2}(\w+):/gm);
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !settings.includes(`| \`${name}\` |`))).toEqual([]);
});
