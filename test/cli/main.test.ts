import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { makeFolder } from "../config/written.ts";

const root = resolve(import.meta.dirname, "../..");

const config = `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 10m, afterExposure: 4h } }
targets:
  orders: { type: postgresql, options: { host: db.example }, accounts: [a], admin: self, publish: orders }
`;

test("a reader can close the pipe early without an error", async () => {
  const folder = await makeFolder({ "keyturn.yaml": config });
  const args = ["cli/main.ts", "plan", "--config", join(folder, "keyturn.yaml")];
  const plan = spawn(process.execPath, args, { cwd: root });
  plan.stdout.destroy();
  const [complaint] = await Promise.all([text(plan.stderr), once(plan, "exit")]);
  expect(complaint).toBe("");
  expect(plan.exitCode).toBe(0);
});
