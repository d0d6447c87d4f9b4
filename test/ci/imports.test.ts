import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../..");

/** Files to import: one for each place that a rule names. */
const places = [
  "shared/app.ts",
  "shared/core/rotation.ts",
  "shared/engine/engine.ts",
  "shared/config/config.ts",
  "shared/azure/tokens.ts",
  "shared/rotators/rotator.ts",
  "shared/rotators/postgresql/postgresql.ts",
  "shared/vaults/vault.ts",
  "shared/vaults/memory.ts",
  "shared/stores/journal.ts",
  "shared/stores/queue.ts",
  "shared/stores/memory.ts",
  "shared/notifiers/notifier.ts",
  "shared/consumers/consumer.ts",
  "functions/rotate.ts",
  "functions/http/routes.ts",
  "functions/schemas/targets.ts",
  "local/start.ts",
  "conformance/rotator.suite.ts",
  "test/engine/engine.test.ts",
];

interface Sample {
  readonly from: string;
  readonly to: string;
  readonly how?: "value" | "type" | "lazy";
  readonly broken: readonly string[];
}

const samples: readonly Sample[] = [
  { from: "shared/core", to: "../core/rotation.ts", broken: [] },
  { from: "shared/core", to: "node:crypto", broken: [] },
  { from: "shared/core", to: "node:fs", broken: ["core-is-pure"] },
  { from: "shared/core", to: "zod", broken: ["core-is-pure"] },
  { from: "shared/core", to: "../engine/engine.ts", how: "type", broken: ["core-is-pure"] },
  { from: "shared/core", to: "../rotators/rotator.ts", how: "type", broken: ["core-is-pure"] },

  { from: "shared/engine", to: "../core/rotation.ts", broken: [] },
  { from: "shared/engine", to: "../rotators/rotator.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../vaults/vault.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../stores/journal.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../stores/queue.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../notifiers/notifier.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../consumers/consumer.ts", how: "type", broken: [] },
  { from: "shared/engine", to: "../stores/memory.ts", broken: ["engine-knows-contracts-only"] },
  { from: "shared/engine", to: "../config/config.ts", broken: ["engine-knows-contracts-only"] },
  { from: "shared/engine", to: "zod", how: "type", broken: ["engine-knows-contracts-only"] },

  { from: "shared/rotators", to: "./rotator.ts", how: "type", broken: [] },
  { from: "shared/rotators", to: "./postgresql/postgresql.ts", broken: [] },
  { from: "shared/rotators", to: "zod", broken: [] },
  { from: "shared/rotators", to: "../azure/tokens.ts", broken: [] },
  { from: "shared/azure", to: "../rotators/rotator.ts", broken: ["azure-serves-adapters"] },
  { from: "shared/rotators", to: "pg", how: "lazy", broken: [] },
  { from: "shared/rotators", to: "pg", how: "type", broken: [] },
  { from: "shared/rotators", to: "pg", broken: ["drivers-load-when-used"] },
  {
    from: "shared/rotators",
    to: "../vaults/vault.ts",
    how: "type",
    broken: ["adapters-stand-alone"],
  },
  {
    from: "shared/vaults",
    to: "../engine/engine.ts",
    how: "type",
    broken: ["adapters-stand-alone"],
  },
  {
    from: "shared/stores",
    to: "../config/config.ts",
    how: "type",
    broken: ["adapters-stand-alone"],
  },
  { from: "shared/notifiers", to: "../stores/memory.ts", broken: ["adapters-stand-alone"] },
  { from: "shared/consumers", to: "../core/rotation.ts", broken: [] },
  { from: "shared/vaults", to: "fast-check", broken: ["product-uses-no-dev-dependencies"] },
  { from: "shared/vaults", to: "./missing.ts", broken: ["resolvable"] },

  { from: "conformance", to: "../shared/rotators/rotator.ts", how: "type", broken: [] },
  { from: "conformance", to: "vitest", broken: [] },
  {
    from: "conformance",
    to: "../test/engine/engine.test.ts",
    broken: ["conformance-knows-the-contract-only"],
  },
  {
    from: "conformance",
    to: "../shared/rotators/postgresql/postgresql.ts",
    broken: ["conformance-knows-the-contract-only"],
  },
  {
    from: "shared/rotators",
    to: "../../conformance/rotator.suite.ts",
    broken: ["product-knows-no-local-or-test-code"],
  },

  { from: "shared/config", to: "zod", broken: [] },
  { from: "shared/config", to: "yaml", broken: [] },
  { from: "shared/config", to: "../core/rotation.ts", broken: [] },
  {
    from: "shared/config",
    to: "../rotators/rotator.ts",
    how: "type",
    broken: ["config-knows-core-only"],
  },
  {
    from: "shared/config",
    to: "../app.ts",
    broken: ["app-is-the-front-door", "config-knows-core-only"],
  },
  {
    from: "shared/config",
    to: "@azure/functions",
    how: "type",
    broken: ["shared-does-not-know-its-host"],
  },
  {
    from: "shared/config",
    to: "../../local/start.ts",
    broken: ["product-knows-no-local-or-test-code"],
  },

  { from: "functions", to: "../shared/app.ts", broken: [] },
  { from: "functions", to: "../shared/core/rotation.ts", how: "type", broken: [] },
  { from: "functions", to: "@azure/functions", broken: [] },
  { from: "functions", to: "node:crypto", broken: [] },
  { from: "functions", to: "../shared/core/rotation.ts", broken: ["callers-use-core-types-only"] },
  {
    from: "functions",
    to: "../shared/engine/engine.ts",
    how: "type",
    broken: ["functions-go-through-app"],
  },
  { from: "functions", to: "@azure/identity", broken: ["functions-go-through-app"] },
  {
    from: "functions",
    to: "../test/engine/engine.test.ts",
    broken: ["functions-go-through-app", "product-knows-no-local-or-test-code"],
  },

  { from: "cli", to: "../shared/app.ts", broken: [] },
  { from: "cli", to: "../shared/stores/memory.ts", broken: ["cli-goes-through-app"] },
  { from: "cli", to: "../functions/http/routes.ts", broken: [] },
  { from: "cli", to: "../functions/schemas/targets.ts", how: "type", broken: [] },
  { from: "cli", to: "../functions/schemas/targets.ts", broken: ["cli-starts-fast"] },
  { from: "cli", to: "../functions/rotate.ts", broken: ["cli-goes-through-app"] },
  { from: "cli", to: "zod", how: "type", broken: [] },
  { from: "cli", to: "zod", broken: ["cli-starts-fast"] },
  { from: "cli", to: "@azure/identity", how: "lazy", broken: [] },
  { from: "cli", to: "@azure/identity", broken: ["cli-starts-fast"] },
  { from: "cli", to: "../shared/core/rotation.ts", broken: ["callers-use-core-types-only"] },

  { from: "local", to: "../shared/app.ts", broken: [] },
  { from: "local", to: "fast-check", broken: [] },
  {
    from: "local",
    to: "../shared/core/rotation.ts",
    how: "type",
    broken: ["local-goes-through-app"],
  },
  { from: "local", to: "../functions/rotate.ts", broken: ["local-goes-through-app"] },
];

const importLine = {
  value: (to: string) => `import * as it from ${JSON.stringify(to)}; it;`,
  type: (to: string) =>
    `import type * as It from ${JSON.stringify(to)}; export type T = typeof It;`,
  lazy: (to: string) => `export const load = () => import(${JSON.stringify(to)});`,
};

const getFile = (sample: Sample): string =>
  `${sample.from}/sample-${String(samples.indexOf(sample))}.ts`;

const Report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

let tree: string;
let brokenBy: Map<string, Set<string>>;

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), content);
}

async function cruise(): Promise<Map<string, Set<string>>> {
  const depcruise = join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const child = spawn(process.execPath, [depcruise, "--output-type", "json", "."], {
    cwd: tree,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const found = new Map<string, Set<string>>();
  for (const { from, rule } of Report.parse(await json(child.stdout)).summary.violations) {
    found.set(from, (found.get(from) ?? new Set()).add(rule.name));
  }
  return found;
}

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), "keyturn-imports-"));
  for (const file of [".dependency-cruiser.cjs", "package.json", "tsconfig.json"]) {
    await copyFile(join(root, file), join(tree, file));
  }
  await symlink(join(root, "node_modules"), join(tree, "node_modules"));
  for (const place of places) await write(place, "export const here = 1;\n");
  for (const sample of samples) {
    await write(getFile(sample), importLine[sample.how ?? "value"](sample.to));
  }
  await write("shared/stores/one.ts", importLine.type("./two.ts"));
  await write("shared/stores/two.ts", importLine.type("./one.ts"));
  await write("shared/vaults/vault.ts", importLine.type("./memory.ts"));
  await write("shared/core/alone.ts", "export const alone = true;");
  brokenBy = await cruise();
});

afterAll(async () => {
  await rm(tree, { recursive: true, force: true });
});

const brokenIn = (file: string): string[] => [...(brokenBy.get(file) ?? [])].sort();

test.each(
  samples.map((sample) => [sample.from, sample.how ?? "value", sample.to, sample] as const),
)("%s, %s import of %s", (_from, _how, _to, sample) => {
  expect(brokenIn(getFile(sample))).toEqual(sample.broken);
});

test("files that import only each other's types are also a cycle", () => {
  expect(brokenIn("shared/stores/one.ts")).toEqual(["no-cycles"]);
});

test("a contract must not import its adapter", () => {
  expect(brokenIn("shared/vaults/vault.ts")).toEqual(["contracts-name-no-adapter"]);
});

test("a file without any imports in either direction is reported", () => {
  expect(brokenIn("shared/core/alone.ts")).toEqual(["no-orphans"]);
});
