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

test("an answer that cannot be written ends with 1 and says what to do", async () => {
  const folder = await makeFolder({});
  // bash counts in units of 1 KiB.
  const script = 'ulimit -f 1; exec "$@" > answer.txt';
  const words = [process.execPath, join(root, "cli/main.ts"), "--help"];
  const help = spawn("bash", ["--norc", "-c", script, "bash", ...words], { cwd: folder });
  const [complaint] = await Promise.all([text(help.stderr), once(help, "exit")]);
  expect(complaint).toMatch(/^The answer cannot be written \(EFBIG\)\. Make room on the disk.*\n$/);
  expect(help.exitCode).toBe(1);
});
