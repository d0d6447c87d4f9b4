import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig, parseConfig } from "../../../shared/config/load.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { fakeRotators } from "../fake-rotators.ts";
import { certificate, listProblems, load, makeFolder } from "../written.ts";

const head = `version: 1
vaults: { main: { url: https://kv.vault.azure.net }, other: { url: https://kv2.vault.azure.net } }
policies: { default: { every: 90d, afterExposure: 4h }, slow: { every: 180d, afterExposure: 4h } }
`;
const defaults = `targetDefaults:
  type: relational
  options: { host: db.example, port: 5433 }
  admin: { secret: root, vault: main }
  publish: { vault: main }
  policy: slow
  grace: 2h
  consumers: []
  tags: { owner: orders }
`;

test("a target can override single options, tags and the vault of the defaults", async () => {
  const targets = `targets:
  pair: { accounts: [a, b], publish: pair }
  single: { accounts: [c], publish: { secret: single, as: password, vault: other }, policy: default, options: { port: 1 }, tags: { owner: x, env: y } }
  cloud: { type: cloud-server, options: { server: s }, accounts: [d], admin: managed-identity, publish: cloud }
`;
  const config = await load(head + defaults + targets);
  expect(config.warnings).toEqual([]);
  expect(config.targets).toMatchObject([
    {
      type: "relational",
      options: { host: "db.example", port: 5433 },
      authority: { as: "admin", secret: { vault: "main", name: "root" } },
      publish: { vault: "main", name: "pair", as: "json" },
      policy: { name: "slow" },
      grace: 7_200_000,
      tags: { owner: "orders" },
    },
    {
      options: { host: "db.example", port: 1 },
      publish: { vault: "other", name: "single", as: "password" },
      policy: { name: "default" },
      // Its system keeps no second password of an account.
      grace: 0,
      tags: { owner: "x", env: "y" },
    },
    { type: "cloud-server", options: { server: "s" }, authority: { as: "identity" } },
  ]);
});

test("a default grace is for every target that can keep two secrets, and for no other", async () => {
  const all = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
  const id = "3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";
  const config = await load(
    `${head}targetDefaults: { grace: 2h, admin: managed-identity }
targets:
  app: { type: entra-app, options: { tenant: ${id} }, accounts: [${id}], publish: { secret: app, vault: main } }
  same: { type: entra-app, options: { tenant: ${id}, application: ${id.replace("3", "4")} }, publish: { secret: same, vault: main } }
  single: { type: mysql, options: { host: h }, accounts: [a], admin: { secret: s, vault: main }, publish: { secret: single, vault: main } }
  only: { type: postgresql, options: { host: h }, accounts: [a], admin: self, publish: { secret: only, vault: main } }
`,
    all,
  );
  expect(config.targets.map((target) => [target.id, target.grace])).toEqual([
    ["app", 7_200_000],
    ["same", 7_200_000],
    ["single", 7_200_000],
    ["only", 0],
  ]);
});

test("a problem in the defaults is reported once, at the default", async () => {
  const wrong = defaults
    .replace("5433", '"5433"')
    .replace("policy: slow", "policy: slwo")
    .replace("2h", "forever");
  const targets = `targets:
  a: { accounts: [a, b], publish: a }
  b: { accounts: [c, d], publish: b_b }
`;
  expect(await listProblems(head + wrong + targets)).toEqual([
    "keyturn.yaml:6:38  targetDefaults.options.port: must be a number; write it without quotes (in target a and 1 more)",
    'keyturn.yaml:9:11  targetDefaults.policy: policy "slwo" does not exist (did you mean "slow"?) (in target a and 1 more)',
    "keyturn.yaml:10:10  targetDefaults.grace: must be a duration such as 30s, 10m, 4h or 90d",
    "keyturn.yaml:15:35  targets.b.publish: must be the name of a secret: 1 to 127 letters, digits and hyphens",
  ]);
});

test("fields that belong to one target cannot be defaults", async () => {
  expect(
    await listProblems(
      `${head}targetDefaults: { accounts: [a], publish: { secret: b }, pubish: c }\n`,
    ),
  ).toEqual([
    "keyturn.yaml:4:19  targetDefaults.accounts: is not a known key; allowed: type, options, admin, publish, policy, grace, consumers, tags",
    "keyturn.yaml:4:45  targetDefaults.publish.secret: is not a known key; allowed: vault, as",
    'keyturn.yaml:4:58  targetDefaults.pubish: is not a known key (did you mean "publish"?)',
  ]);
});

test("each file of a folder has its own defaults", async () => {
  const target = (id: string) => `targets: { ${id}: { accounts: [${id}], publish: ${id} } }\n`;
  const shared = (host: string) =>
    `targetDefaults: { type: relational, options: { host: ${host} }, admin: self, publish: { vault: main } }\n`;
  const folder = await makeFolder({
    "all.yaml": head,
    "one.yaml": `version: 1\n${shared("one.example")}${target("a")}`,
    "two.yaml": `version: 1\n${shared("two.example")}${target("b")}`,
  });
  const { targets } = await loadConfig(folder, { rotators: fakeRotators });
  expect(targets.map(({ id, options }) => [id, options])).toMatchObject([
    ["a", { host: "one.example" }],
    ["b", { host: "two.example" }],
  ]);
});

test("a default CA file is relative to the folder of the configuration file", async () => {
  const folder = await makeFolder({
    "keyturn.yaml": `${head}targetDefaults: { type: relational, options: { host: h, tls: { caFile: ca.pem } }, admin: self, publish: { vault: main } }
targets: { a: { accounts: [a], publish: a } }
`,
    "ca.pem": certificate,
  });
  const { targets } = await loadConfig(join(folder, "keyturn.yaml"), { rotators: fakeRotators });
  expect(targets[0]?.options).toMatchObject({ tls: { caFile: join(folder, "ca.pem") } });
});

test("the number of default values is limited", async () => {
  const many = `targetDefaults: { consumers: [${"x,".repeat(1_000)}] }\ntargets: { a: {} }\n`;
  const loading = parseConfig(head + many, { rotators: fakeRotators });
  await expect(loading).rejects.toThrow("targetDefaults: has more than 1000 values");
});
