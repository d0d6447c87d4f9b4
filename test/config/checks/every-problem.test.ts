import { expect, test } from "vitest";
import { listProblems } from "../written.ts";

const badName =
  "must be 1 to 63 lower-case letters, digits and hyphens, and must not begin with a hyphen";

test("a bad target id does not hide the problems of the target", async () => {
  const text = `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 90d } }
targets:
  Orders_DB:
    type: oracle
    accounts: []
    admin: self
    publish: { secret: orders_db, vualt: main }
    polcy: default
    tags: { keyturn-target: 1 }
`;
  expect(await listProblems(text)).toEqual([
    `keyturn.yaml:5:3  targets.Orders_DB: ${badName}`,
    'keyturn.yaml:6:11  targets.Orders_DB.type: must be one of "relational", "cloud-server"',
    "keyturn.yaml:7:5  targets.Orders_DB.accounts: must have at least 1 entry",
    "keyturn.yaml:9:24  targets.Orders_DB.publish.secret: must be the name of a secret: 1 to 127 letters, digits and hyphens",
    'keyturn.yaml:9:35  targets.Orders_DB.publish.vualt: is not a known key (did you mean "vault"?)',
    'keyturn.yaml:10:5  targets.Orders_DB.polcy: is not a known key (did you mean "policy"?)',
    "keyturn.yaml:11:13  targets.Orders_DB.tags.keyturn-target: is reserved for a tag that Keyturn writes",
    "keyturn.yaml:11:29  targets.Orders_DB.tags.keyturn-target: must be text; put it in quotes",
  ]);
});

test("bad names of vaults, policies and consumers do not hide the problems of these entries", async () => {
  const text = `version: 1
vaults:
  Main: { url: https://kv.example }
policies:
  My_Policy: { every: 1x }
consumers:
  -api: { type: webhook, url: ftp://api.example }
`;
  expect(await listProblems(text)).toEqual([
    `keyturn.yaml:3:3  vaults.Main: ${badName}`,
    "keyturn.yaml:3:16  vaults.Main.url: must be https://NAME followed by .vault.azure.net, .vault.azure.cn, .vault.usgovcloudapi.net",
    `keyturn.yaml:5:3  policies.My_Policy: ${badName}`,
    "keyturn.yaml:5:23  policies.My_Policy.every: must be a duration such as 30s, 10m, 4h or 90d",
    `keyturn.yaml:7:3  consumers.-api: ${badName}`,
    "keyturn.yaml:7:3  consumers.-api.key: is missing",
    "keyturn.yaml:7:31  consumers.-api.url: must be a web address that begins with https://",
  ]);
});

test("a valid value under a bad name adds no problem", async () => {
  expect(await listProblems("version: 1\npolicies: { Nightly: { every: 1d } }\n")).toEqual([
    `keyturn.yaml:2:13  policies.Nightly: ${badName}`,
  ]);
});
