import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { services } from "../../local/azure/arm/services.ts";
import type { KeyProperties } from "../../shared/rotators/azure-key/azure-key-properties.ts";
import type { KeyService } from "../../shared/rotators/azure-key/azure-key-service.ts";
import { keyServices } from "../../shared/rotators/azure-key/azure-key-services.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/rotators/azure-key.md"), "utf8");
const table = Object.entries<KeyService>(keyServices);

const findSection = (title: string) =>
  page.split("\n## ").find((section) => section.startsWith(title)) ?? "";

/** The cells of the row in the first table of the page, or of the text. */
function findRow(service: string, text = page): readonly string[] {
  const row = text.split("\n").find((line) => line.startsWith(`| \`${service}\``)) ?? "";
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

/** Properties as a resource has them whose keys are on, each with the value that the page names for "off". */
const offValues: Readonly<Record<string, KeyProperties>> = {
  "`allowSharedKeyAccess` is `false`": { allowSharedKeyAccess: false },
  "`disableLocalAuth` is `true`": { disableLocalAuth: true },
  "`disableAccessKeyAuthentication` is `true`": { disableAccessKeyAuthentication: true },
  "`accessKeysAuthentication` is `Disabled`": { accessKeysAuthentication: "Disabled" },
  "`allowedAuthenticationModes` is a list without `SharedKey`": {
    allowedAuthenticationModes: ["AAD"],
  },
  "`adminUserEnabled` is not `true`": {},
};
const allOn: KeyProperties = {
  allowSharedKeyAccess: true,
  disableLocalAuth: false,
  disableAccessKeyAuthentication: false,
  accessKeysAuthentication: "Enabled",
  allowedAuthenticationModes: ["SharedKey", "AAD"],
  adminUserEnabled: true,
};

test.each(table)("the page says when keys of %s are refused, and the version", (name, service) => {
  const section = findSection("If keys are switched off");
  const [, , refused = "", version] = findRow(name, section);
  const [off = "", kind] = refused.split("; ");
  const properties = offValues[off];
  if (properties === undefined)
    throw new Error(`the test does not know what the page says of ${name}: ${off}`);
  const withOff = Object.keys(properties).length === 0 ? {} : { ...allOn, ...properties };
  expect([service.isOff(withOff), service.isOff(allOn)]).toEqual([true, false]);
  const [, stated] = /^the kind is `(\w+)`$/.exec(kind ?? "") ?? [];
  expect(service.findUnfit !== undefined).toBe(stated !== undefined);
  expect(service.findUnfit?.({ kind: stated })).toEqual(stated && expect.any(String));
  expect(version).toBe(service.apiVersion);
});

test("the page has every service", () => {
  const rows = page.split("\n").filter((line) => /^\| `[a-z-]+`.*\| `Microsoft\./.test(line));
  expect(rows).toHaveLength(table.length);
});

test.each(table)(
  "the page says until when a regeneration of %s may take effect",
  (name, service) => {
    const section = findSection("When a regeneration is certainly over");
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
