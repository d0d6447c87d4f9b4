import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../shared/config/load.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { makeFolder, problemLines } from "../written.ts";

const rotators = { rotators: fakeRotators };

const base = `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 30d } }
notify: [{ type: event-grid, endpoint: https://one.eventgrid.azure.net }]
`;
const orders = `version: 1
targets:
  orders: { type: relational, options: { host: a }, accounts: [app], admin: self, publish: orders }
notify: [{ type: event-grid, endpoint: https://two.eventgrid.azure.net }]
`;

test("the files of a folder form one configuration", async () => {
  const folder = await makeFolder({ "base.yaml": base, "orders.yml": orders });
  const config = await loadConfig(folder, rotators);
  expect(config.targets).toMatchObject([{ id: "orders", policy: { name: "default" } }]);
  expect(config.notifiers).toEqual([
    { type: "event-grid", endpoint: "https://one.eventgrid.azure.net" },
    { type: "event-grid", endpoint: "https://two.eventgrid.azure.net" },
  ]);
});

test("a name that two files define is a problem that states both positions", async () => {
  const folder = await makeFolder({
    "base.yaml": base,
    "orders.yaml": orders,
    "copy.yaml": orders.replace("publish: orders", "publish: copy"),
  });
  expect(await problemLines(loadConfig(folder, rotators))).toEqual([
    "conf/orders.yaml:3:3  targets.orders: is defined twice; the first is at conf/copy.yaml:3:3",
  ]);
});

test("a problem names its file", async () => {
  const folder = await makeFolder({
    "base.yaml": base.replace("every", "evry"),
    "orders.yaml": orders.replace("version: 1\n", ""),
  });
  expect(await problemLines(loadConfig(folder, rotators))).toEqual([
    'conf/base.yaml:3:24  policies.default.evry: is not a known key (did you mean "every"?)',
    "conf/orders.yaml:1:1  version: is missing",
  ]);
});

test("a file that cannot be parsed neither hides problems of other files nor adds any", async () => {
  const folder = await makeFolder({
    "base.yaml": `${base}\t- x\n`,
    "orders.yaml": orders.replace("publish: orders", "publish: a/b, policy: nightly"),
  });
  const problems = await problemLines(loadConfig(folder, rotators));
  expect(problems.filter((line) => line.includes("base.yaml")).length).toBeGreaterThan(0);
  expect(problems.filter((line) => line.includes("orders.yaml"))).toEqual([
    expect.stringContaining("targets.orders.publish: must be the name of a secret"),
  ]);
});

test("hidden files, other files and subfolders are ignored", async () => {
  const folder = await makeFolder({
    "base.yaml": base,
    ".base.yaml.swp.yaml": "not: [read",
    "notes.txt": "not: [read",
    "deeper/other.yaml": "not: [read",
  });
  expect((await loadConfig(folder, rotators)).targets).toEqual([]);
});

test("a missing file or folder is a problem of the configuration", async () => {
  const folder = await makeFolder({});
  expect(await problemLines(loadConfig(folder, rotators))).toEqual([
    "conf  is a folder without .yaml files",
  ]);
  expect(await problemLines(loadConfig(join(folder, "keyturn.yaml"), rotators))).toEqual([
    "keyturn.yaml  does not exist",
  ]);
});

test("only one file of a folder can set api", async () => {
  const api = "api: { require: [ticket], ticketPattern: INC* }\n";
  const once = await makeFolder({ "base.yaml": `${base}${api}`, "orders.yaml": orders });
  expect((await loadConfig(once, rotators)).api).toEqual({
    require: ["ticket"],
    ticketPattern: ["INC*"],
  });
  const twice = await makeFolder({ "base.yaml": base + api, "orders.yaml": orders + api });
  expect(await problemLines(loadConfig(twice, rotators))).toEqual([
    "conf/orders.yaml:5:1  api: is defined twice; the first is at conf/base.yaml:5:1",
  ]);
});

test("only one file of a folder can set ledger", async () => {
  const ledger = "ledger: {}\n";
  const twice = await makeFolder({ "base.yaml": base + ledger, "orders.yaml": orders + ledger });
  expect(await problemLines(loadConfig(twice, rotators))).toEqual([
    "conf/orders.yaml:5:1  ledger: is defined twice; the first is at conf/base.yaml:5:1",
  ]);
});

test("only one file of a folder can set retention", async () => {
  const once = await makeFolder({ "base.yaml": `${base}retention: 90d\n`, "orders.yaml": orders });
  expect((await loadConfig(once, rotators)).retention).toBe(90 * 24 * 3_600_000);
  const twice = await makeFolder({
    "base.yaml": `${base}retention: 90d\n`,
    "orders.yaml": `${orders}retention: 90d\n`,
  });
  expect(await problemLines(loadConfig(twice, rotators))).toEqual([
    "conf/orders.yaml:5:1  retention: is defined twice; the first is at conf/base.yaml:5:1",
  ]);
});
