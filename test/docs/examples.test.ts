import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { planConfig } from "../../shared/app.ts";
import { loadConfig } from "../../shared/config/load.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import { type OwnSystem, systems } from "../servers/server.ts";
import { documentedVersions } from "../servers/versions.ts";

const root = resolve(import.meta.dirname, "../..");
const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const readme = await readFile(join(root, "README.md"), "utf8");

test("the configuration in the README is a valid one, without warnings", async () => {
  const [, written = ""] = /^```yaml\n(version: 1[\s\S]*?)^```$/m.exec(readme) ?? [];
  const folder = await mkdtemp(join(tmpdir(), "keyturn-readme-"));
  try {
    await writeFile(join(folder, "keyturn.yaml"), written);
    const config = await loadConfig(join(folder, "keyturn.yaml"), { rotators });
    expect(config.targets.map(({ id }) => id)).toEqual(["orders-db"]);
    expect(config.warnings).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const tested: Readonly<Record<string, readonly OwnSystem[]>> = {
  postgresql: ["postgresql"],
  mongodb: ["mongodb"],
  mysql: ["mysql", "mariadb"],
  redis: ["redis", "valkey"],
};

test.each(rotators)("the README's row of $type names the versions that tests start", ({ type }) => {
  const row = readme.split("\n").find((line) => line.startsWith(`| \`${type}\`: `)) ?? "";
  const cell = row.split("|").at(-2) ?? "";
  const named = Array.from(cell.matchAll(/([A-Z]\w+) (\d+(?:\.\d+)+)/g), ([text]) => text);
  const started = (tested[type] ?? []).flatMap((system) =>
    documentedVersions[system].map((version) => `${systems[system]} ${version}`),
  );
  expect(named).toEqual(started);
});

test("the README has a row for exactly the systems that can be rotated", () => {
  const types = Array.from(readme.matchAll(/^\| `([a-z-]+)`: /gm), ([, type]) => type);
  expect(types).toEqual(rotators.map(({ type }) => type));
});

const files = await readdir(join(root, "examples"));
const examples = files.filter((file) => file.endsWith(".yaml"));

describe.each(examples)("the example %s", (name) => {
  test.each(["2026-06-01", "2026-12-25", "2027-03-01"])(
    "can be planned as it is on %s, without a warning",
    async (today) => {
      const question = { config: join("examples", name), format: "text" } as const;
      const { text, warnings } = await planConfig(question, root, `${today}T12:00:00.000Z`);
      expect(warnings).toEqual([]);
      expect(text).toMatch(new RegExp(`^[1-9]\\d* rotations? from ${today}T12:00:00\\.000Z to `));
    },
  );
});
