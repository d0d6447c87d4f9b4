import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { services } from "../../local/azure/arm/services.ts";
import type { KeyService } from "../../shared/rotators/azure-key/azure-key-service.ts";
import { keyServices } from "../../shared/rotators/azure-key/azure-key-services.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/rotators/azure-key.md"), "utf8");
const table = Object.entries<KeyService>(keyServices);

/** The cells of the row in the first table of the page. */
function findRow(service: string): readonly string[] {
  const row = page.split("\n").find((line) => line.startsWith(`| \`${service}\``)) ?? "";
  return row.split("|").map((cell) => cell.trim());
}

test.each(table)("the page has the facts about %s", (name, service) => {
  const [, , type, actions, keys, role] = findRow(name);
  expect(type).toBe(`\`${service.type}\``);
  expect(actions).toBe(`\`${service.list}\`, \`${service.regenerate}\``);
  const pairs = Object.values(service.pairs).map((pair) =>
    pair.map((key) => `\`${key.name}\``).join(", "),
  );
  expect(keys).toBe(pairs.join(", or "));
  expect(role).toBe(service.role);
});

test("the page has every service", () => {
  const rows = page.split("\n").filter((line) => /^\| `[a-z-]+`.*\| `Microsoft\./.test(line));
  expect(rows).toHaveLength(table.length);
});

test.each(table)(
  "the page says until when a regeneration of %s may take effect",
  (name, service) => {
    const [, section = ""] = page.split("## When a regeneration is certainly over");
    const rows = section.split("\n").filter((line) => line.startsWith("| "));
    const row =
      rows.find((line) => line.includes(`\`${name}\``)) ??
      rows.find((line) => line.startsWith("| others"));
    const minutes = service.settleTime / 60_000;
    expect(row).toContain(minutes < 60 ? `${minutes} minutes` : `${minutes / 60} hours`);
  },
);

test.each(table)(
  "the actions of %s are those that Azure demands",
  (name, { type, list, regenerate }) => {
    const key = name as keyof typeof keyServices;
    const { routes, ...double } = services[key];
    expect(double).toMatchObject({ type, apiVersion: keyServices[key].apiVersion });
    expect(new Set(routes.map(({ action }) => action))).toEqual(
      new Set([`${type}/read`, `${type}/${list}/action`, `${type}/${regenerate}/action`]),
    );
  },
);
