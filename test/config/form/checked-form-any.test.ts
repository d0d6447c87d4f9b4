import "../../core/fixed-seed.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { arbitraryConfig } from "../arbitrary-config.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { certificate, makeFolder } from "../written.ts";
import { addForm, load, open } from "./both-ways.ts";

const now = "2026-06-01T00:00:00.000Z";
const given = { rotators: fakeRotators, now };

test("A checked form of any age gives the same configuration as its sources", async () => {
  const folder = await makeFolder({ "ca.pem": certificate });
  const file = join(folder, "keyturn.yaml");
  let trusted = 0;
  let warned = 0;
  const property = fc.asyncProperty(
    arbitraryConfig,
    fc.integer({ min: 0, max: 900 }),
    async (config, days) => {
      await writeFile(file, stringify(config));
      const before = await load(file, given);
      if (!("warnings" in before)) return;
      if (before.warnings.length > 0) warned++;
      await addForm(file, given);
      const later = new Date(Date.parse(now) + days * 86_400_000).toISOString();
      const opened = await open(file, { ...given, now: later });
      if (opened.from === "form") trusted++;
      expect(opened.outcome).toStrictEqual(await load(file, { ...given, now: later }));
    },
  );
  await fc.assert(property, { numRuns: 60 });
  expect(trusted).toBeGreaterThan(40);
  expect(warned).toBeGreaterThan(20);
});

test("The checked form of three thousand targets gives the same configuration", async () => {
  const targets = Array.from({ length: 3_000 }, (_, index) => [
    `t${index}`,
    {
      ...{ type: "relational", options: { host: `h${index % 7}` }, admin: { secret: "admin" } },
      ...{ accounts: [`a${index}`, `b${index}`], publish: `p${index}`, tags: { env: "prod" } },
      ...(index % 5 === 0 && { policy: "nights" }),
      ...(index % 50 === 0 && { overrides: { every: "20d", days: ["sun"], reason: "x" } }),
    },
  ]);
  const policies = {
    default: { every: "90d" },
    nights: { every: "30d", between: ["01:00-03:00"], timeZone: "Europe/Vienna" },
  };
  const vaults = { main: { url: "https://kv.vault.azure.net" } };
  const config = {
    version: 1,
    vaults,
    policies,
    targets: Object.fromEntries(targets) as unknown,
  };
  const file = join(await makeFolder({ "keyturn.yaml": stringify(config) }), "keyturn.yaml");
  await addForm(file, given);
  expect(await open(file, given)).toStrictEqual({
    outcome: await load(file, given),
    from: "form",
  });
});
