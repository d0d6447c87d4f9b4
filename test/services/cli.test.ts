import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { readCalendar } from "../cli/calendar-lines.ts";
import { folderOf } from "../config/written.ts";

const root = resolve(import.meta.dirname, "../..");

function keyturn(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/main.ts", ...args], {
    cwd: root,
    encoding: "utf8",
    env: {},
  });
  return { status, stdout, stderr };
}

const config = `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 30d } }
targets:
  orders: { type: postgresql, options: { host: db.example }, accounts: [a], admin: self, publish: a }
`;

test("keyturn plan needs no setting, and writes nothing but the plan", async () => {
  const folder = await folderOf({ "keyturn.yaml": config });
  const { status, stdout, stderr } = keyturn("plan", "--config", folder, "--ics");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readCalendar(stdout).length).toBeGreaterThan(0);
});

test("keyturn plan ends with 1 and the problems of a configuration that is not there", () => {
  const { status, stdout, stderr } = keyturn("plan", "--config", "no-such-file.yaml");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe("The configuration has 1 problem:\nno-such-file.yaml  does not exist\n");
});

test("keyturn ends with 2 and tells how it is used when arguments make no sense", () => {
  const { status, stdout, stderr } = keyturn("plna");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain("Usage: npm run keyturn -- plan [options]");
  expect(keyturn("--help")).toMatchObject({ status: 0, stderr: "" });
});
