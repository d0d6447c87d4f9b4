import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { readCalendar } from "../cli/calendar-lines.ts";
import { makeFolder } from "../config/written.ts";

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
policies: { default: { every: 30d, afterExposure: 4h } }
targets:
  orders: { type: postgresql, options: { host: db.example }, accounts: [a], admin: self, publish: a }
`;

test("keyturn plan needs no setting, and writes nothing but the plan", async () => {
  const folder = await makeFolder({ "keyturn.yaml": config });
  const { status, stdout, stderr } = keyturn("plan", "--config", folder, "--ics");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readCalendar(stdout).length).toBeGreaterThan(0);
});

test("keyturn plan exits with 1 and the problem for a missing configuration", () => {
  const { status, stdout, stderr } = keyturn("plan", "--config", "no-such-file.yaml");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe("The configuration has 1 problem:\nno-such-file.yaml  does not exist\n");
});

test("keyturn check says how to name a configuration that is not in the folder", () => {
  const stderr =
    "keyturn.yaml does not exist in this folder. Name the file or folder of the configuration with --config.\n";
  expect(keyturn("check")).toEqual({ status: 2, stdout: "", stderr });
});

test("keyturn check ends with 0 and one line that counts what the configuration contains", async () => {
  const folder = await makeFolder({ "keyturn.yaml": config });
  const file = join(folder, "keyturn.yaml");
  const counts = "1 target, 1 vault, 0 consumers, 0 notifiers, 0 warnings";
  const stdout = `${file} is valid: ${counts}.\n`;
  expect(keyturn("check", "--config", file)).toEqual({ status: 0, stdout, stderr: "" });
});

test("keyturn check of a folder shows warnings, and they do not fail it", async () => {
  const late = config.replace(
    "{ every: 30d, afterExposure: 4h }",
    "{ every: 1d, afterExposure: 4h, days: [sat] }",
  );
  const folder = await makeFolder({ "a.yaml": late });
  const { status, stdout, stderr } = keyturn("check", "--config", folder);
  expect(status).toBe(0);
  expect(stdout).toMatch(/ is valid: 1 target, .* 1 warning\.\n$/);
  expect(stderr).toMatch(/^warning: .*a\.yaml:3:\d+ {2}policies\.default\.every: /);
});

test("keyturn check ends with 1 and every problem with its line", async () => {
  const broken = config.replace("30d", "soon").replace("postgresql", "postgresq");
  const folder = await makeFolder({ "keyturn.yaml": broken });
  const file = join(folder, "keyturn.yaml");
  const { status, stdout, stderr } = keyturn("check", "--config", file);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain("keyturn.yaml:3:31  policies.default.every: must be a duration");
  expect(stderr).toMatch(/^keyturn\.yaml:5:\d+ {2}targets\.orders\.type: /m);
});

test("keyturn check reports a missing CA file, like the start of the app", async () => {
  const missing = config.replace("host: db.example", "host: db.example, tls: { caFile: ca.pem }");
  const folder = await makeFolder({ "keyturn.yaml": missing });
  const { status, stderr } = keyturn("check", "--config", folder);
  expect(status).toBe(1);
  expect(stderr).toContain("targets.orders.options.tls.caFile: does not exist");
});

test("keyturn check reports the name of an account that the system cannot have", async () => {
  const long = config.replace("accounts: [a]", `accounts: [${"x".repeat(64)}]`);
  const folder = await makeFolder({ "keyturn.yaml": long });
  const { status, stderr } = keyturn("check", "--config", folder);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /keyturn\.yaml:5:\d+ {2}targets\.orders\.accounts\[0\]: must have at most 63 bytes/,
  );
});

test("npx keyturn writes the JSON of a plan and nothing else to its output", async () => {
  const folder = await makeFolder({ "keyturn.yaml": config });
  const args = ["keyturn", "plan", "--json", "--config", folder];
  const { status, stdout } = spawnSync("npx", args, { cwd: root, encoding: "utf8" });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ targets: 1 });
});

test.each(["plna", "check now", "check --jsn", "plan --config a --config b"])(
  "keyturn refuses invalid arguments: %s",
  (written) => {
    const { status, stderr } = keyturn(...written.split(" "));
    expect(status).toBe(2);
    expect(stderr).toMatch(/^(Unknown command|Unknown option|Too many arguments|--\w+ is)/);
  },
);

test("the usage of keyturn fits a terminal of 80 columns", () => {
  const commands = [
    "plan",
    "check",
    "targets",
    "rotate",
    "pause",
    "freezes",
    "end-freeze",
    "expose",
  ];
  const stdout = [[], ...commands.map((one) => [one])]
    .map((one) => keyturn(...one, "--help").stdout)
    .join("");
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("keyturn exits with 2 and suggests the nearest command or option", () => {
  const { status, stdout, stderr } = keyturn("plna");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toBe(
    "Unknown command 'plna'. Did you mean plan? `keyturn --help` lists the commands.\n",
  );
  expect(keyturn("plan", "--conifg").stderr).toBe(
    "Unknown option '--conifg'. Did you mean --config? `keyturn plan --help` lists its options.\n",
  );
  expect(keyturn("--help")).toMatchObject({ status: 0, stderr: "" });
});

test("keyturn without a command exits with 2 and prints its help to standard error", () => {
  const { status, stdout, stderr } = keyturn();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^Usage: keyturn <command> \[options\]\n/);
});

test("keyturn check --json prints the result as JSON, also of a configuration with problems", async () => {
  const folder = await makeFolder({ "good.yaml": config, "bad.yaml": config.replace("30d", "x") });
  const good = keyturn("check", "--json", "--config", join(folder, "good.yaml"));
  expect(good).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(good.stdout)).toEqual({
    valid: true,
    ...{ targets: 1, vaults: 1, consumers: 0, notifiers: 0, warnings: [] },
  });
  const bad = keyturn("check", "--json", "--config", join(folder, "bad.yaml"));
  expect(bad).toMatchObject({ status: 1, stderr: "" });
  const problem = { path: "policies.default.every", line: 3, column: 31 };
  expect(JSON.parse(bad.stdout)).toMatchObject({ valid: false, problems: [problem] });
});
