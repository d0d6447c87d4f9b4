import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../shared/config/config.ts";
import { loadConfig } from "../../shared/config/load.ts";
import { ConfigProblemsError, formatProblem } from "../../shared/config/problems.ts";
import type { ConfigRotator } from "../../shared/config/schema/targets.ts";
import { certificateFor } from "../doubles/certificate.ts";
import { fakeRotators } from "./fake-rotators.ts";

/** The content of a CA file. */
export const { cert: certificate } = await certificateFor("db.example");

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Makes a folder with these files. It is removed when the test ends. */
export async function makeFolder(files: Files): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "keyturn-config-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const folder = join(root, "conf");
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Loads a file with this text. */
export async function load(
  text: string | Uint8Array,
  rotators: readonly ConfigRotator[] = fakeRotators,
  now = new Date().toISOString(),
): Promise<Config> {
  const folder = await makeFolder({ "keyturn.yaml": text });
  return loadConfig(join(folder, "keyturn.yaml"), { rotators, now });
}

/** Lists the problems of a file with this text, one on each line. */
export async function listProblems(text: string | Uint8Array): Promise<string[]> {
  return problemLines(load(text));
}

export async function problemLines(loading: Promise<unknown>): Promise<string[]> {
  const outcome = await loading.catch((error: unknown) => error);
  if (outcome instanceof ConfigProblemsError) return outcome.problems.map(formatProblem);
  if (outcome instanceof Error) throw outcome;
  return [];
}

/** Writes a complete configuration with one target. `fields` replace its fields; null removes one. */
export function withTarget(fields: Readonly<Record<string, unknown>>): string {
  const target: Record<string, unknown> = {
    type: "relational",
    options: { host: "db.example" },
    accounts: ["app"],
    admin: "self",
    publish: "orders-db",
    ...fields,
  };
  const kept = Object.entries(target).filter(([, value]) => value !== null);
  return [
    "version: 1",
    "vaults: { main: { url: https://kv.vault.azure.net } }",
    "policies: { default: { every: 90d, afterExposure: 4h } }",
    "targets:",
    "  orders:",
    ...kept.map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`),
    "",
  ].join("\n");
}

/** A target whose only authority is the app's identity. */
export const azureSqlServer = {
  type: "azure-sql-server",
  options: {
    subscription: "11111111-2222-4333-8444-555555555555",
    resourceGroup: "orders",
    server: "orders",
  },
  admin: "managed-identity",
};
