import { expect, test } from "vitest";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { listProblems, load, withTarget } from "./written.ts";

const broken = `version: 2
vaults:
  main: { url: http://kv.vault.azure.net }
polices: {}
policies:
  default: { every: 90 days, password: { length: 12 } }
  Nightly: { every: 1d }
  never: {}
targets:
  orders:
    type: relational
    options: { hostt: db.example, port: "5432" }
    accounts: [app, app]
    admin: { secret: Orders-DB }
    publish: orders-db
    policy: nightly
    grace: forever
    consumers: [orders-api]
  mails:
    type: relatonal
    accounts: []
    admin: slef
    publish: { secret: mails_db, vault: mian }
    tags: { keyturn-target: mails }
notify:
  - { type: event-grd, endpoint: https://topic.eventgrid.azure.net }
  - { type: webhook, url: https://hook.example, key: { secret: hook, vault: other } }
`;

test("every problem is reported at once, with its position, its path and a message", async () => {
  expect(await listProblems(broken)).toEqual([
    "keyturn.yaml:1:10  version: must be 1",
    "keyturn.yaml:3:16  vaults.main.url: must begin with https://; http:// is allowed for loopback addresses only",
    'keyturn.yaml:4:1  polices: is not a known key (did you mean "policies"?)',
    "keyturn.yaml:6:21  policies.default.every: must be a duration such as 30s, 10m, 4h or 90d",
    "keyturn.yaml:6:50  policies.default.password.length: must be at least 16",
    "keyturn.yaml:7:3  policies.Nightly: must be 1 to 63 lower-case letters, digits and hyphens, and must not begin with a hyphen",
    "keyturn.yaml:8:3  policies.never: never makes a rotation due; set every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true",
    "keyturn.yaml:12:5  targets.orders.options.host: is missing",
    'keyturn.yaml:12:16  targets.orders.options.hostt: is not a known key (did you mean "host"?)',
    "keyturn.yaml:12:41  targets.orders.options.port: must be a number; write it without quotes",
    "keyturn.yaml:13:21  targets.orders.accounts[1]: is the same account as accounts[0]; a pair needs two accounts",
    "keyturn.yaml:14:22  targets.orders.admin.secret: is the secret that this target publishes; use admin: self, or another secret",
    'keyturn.yaml:16:13  targets.orders.policy: policy "nightly" does not exist (did you mean "Nightly"?)',
    "keyturn.yaml:17:12  targets.orders.grace: must be a duration such as 30s, 10m, 4h or 90d",
    'keyturn.yaml:18:17  targets.orders.consumers[0]: consumer "orders-api" does not exist',
    'keyturn.yaml:20:11  targets.mails.type: must be one of "relational", "cloud-server" (did you mean "relational"?)',
    "keyturn.yaml:21:5  targets.mails.accounts: must have at least 1 entry",
    'keyturn.yaml:22:12  targets.mails.admin: must be "self", "managed-identity", or a mapping with secret',
    "keyturn.yaml:23:24  targets.mails.publish.secret: must be the name of a secret: 1 to 127 letters, digits and hyphens",
    'keyturn.yaml:23:41  targets.mails.publish.vault: vault "mian" does not exist (did you mean "main"?)',
    "keyturn.yaml:24:13  targets.mails.tags.keyturn-target: is reserved for a tag that Keyturn writes",
    'keyturn.yaml:26:13  notify[0].type: must be one of "event-grid", "webhook" (did you mean "event-grid"?)',
    'keyturn.yaml:27:77  notify[1].key.vault: vault "other" does not exist',
  ]);
});

test("the error lists all problems, one on each line, and contains them as data", async () => {
  const error: unknown = await load("version: 1\ntargtes: {}\nnotfy: []\n").catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigProblemsError);
  expect(error).toMatchObject({
    kind: "config",
    message: [
      "The configuration has 2 problems:",
      'keyturn.yaml:2:1  targtes: is not a known key (did you mean "targets"?)',
      'keyturn.yaml:3:1  notfy: is not a known key (did you mean "notify"?)',
    ].join("\n"),
    problems: [
      { file: "keyturn.yaml", line: 2, column: 1, path: "targtes" },
      { file: "keyturn.yaml", line: 3, column: 1, path: "notfy" },
    ],
  });
});

test("the problem of an unknown key lists the allowed keys if none is similar", async () => {
  expect(
    await listProblems(
      "version: 1\nvaults: { main: { url: https://kv.vault.azure.net, zone: x } }\n",
    ),
  ).toEqual([
    "keyturn.yaml:2:52  vaults.main.zone: is not a known key; allowed: url, pending, createsPer10s",
  ]);
});

test("a missing field and an empty field have different messages", async () => {
  const missing = "keyturn.yaml:5:3  targets.orders";
  expect(
    await listProblems(withTarget({ type: null, accounts: null, admin: null, publish: null })),
  ).toEqual([
    `${missing}.type: is missing`,
    `${missing}.accounts: is missing`,
    `${missing}.admin: is missing`,
    `${missing}.publish: is missing`,
  ]);
  expect(await listProblems(withTarget({}).replace(/admin: .*/, "admin:"))).toEqual([
    "keyturn.yaml:9:5  targets.orders.admin: has no value",
  ]);
});

test("required options are reported as missing even if a target has no options", async () => {
  expect(await listProblems(withTarget({ options: null }))).toEqual([
    "keyturn.yaml:5:3  targets.orders.options.host: is missing",
  ]);
});

test.each([
  ["a list instead of a mapping", { options: [] }, "options: must be a mapping of keys to values"],
  ["a mapping instead of a list", { accounts: { a: "b" } }, "accounts: must be a list, in [ ]"],
  ["text instead of a list", { consumers: "api" }, "consumers: must be a list, in [ ]"],
  [
    "a number instead of text",
    { accounts: [12] },
    expect.stringContaining("accounts[0]: must be the name of an account"),
  ],
  ["three accounts", { accounts: ["a", "b", "c"] }, "accounts: must have at most 2 entries"],
  [
    "an empty account",
    { accounts: [""] },
    expect.stringContaining("accounts[0]: must be 1 to 128 characters"),
  ],
  [
    "an unknown key of an account",
    { accounts: [{ name: "a", intial: "x" }] },
    'accounts[0].intial: is not a known key (did you mean "initial"?)',
  ],
  [
    "an unknown key of admin",
    { admin: { secrt: "x" } },
    'admin.secrt: is not a known key (did you mean "secret"?)',
  ],
  [
    "an unknown form",
    { publish: { secret: "x", as: "Json" } },
    'publish.as: must be one of "json", "password", "connection-string", "uri", "jdbc", "ado", "odbc", "libpq", "sqlalchemy" (did you mean "json"?)',
  ],
  [
    "a tag that is too long",
    { tags: { a: "x".repeat(257) } },
    "tags.a: must have at most 256 characters",
  ],
  [
    "more tags than a secret can have",
    { tags: Object.fromEntries("abcdefghij".split("").map((tag) => [tag, "x"])) },
    "tags: must have at most 9 entries",
  ],
  [
    "a tag that the samples of Azure use",
    { tags: { credentialid: "x" } },
    "tags.credentialid: is reserved for a tag that Keyturn writes",
  ],
])("%s is reported in plain words", async (_what, fields, message) => {
  const problems = (await listProblems(withTarget(fields))).map((line) =>
    line.replace(/^keyturn\.yaml:\d+:\d+ {2}targets\.orders\./, ""),
  );
  expect(problems).toContainEqual(message);
});

test("no problem repeats a value, because it could be a misplaced secret", async () => {
  const value = "hunter2 hunter2";
  const text = withTarget({
    type: value,
    options: { host: [value], port: value, tls: value },
    accounts: [{ name: [value], initial: value }],
    admin: { secret: value },
    publish: { secret: value, as: value },
    grace: value,
    tags: value,
  });
  const problems = await listProblems(`${text}notify: [{ type: ${value}, key: ${value} }]\n`);
  expect(problems.length).toBeGreaterThan(8);
  expect(problems.join("\n")).not.toContain("hunter2");
});

test.each([
  ["6d", "must be between 7d and 3650d"],
  ["11y", "must be a duration such as 30s, 10m, 4h or 90d"],
  ["400", "needs a unit; write 400d for days, 400h for hours, 400m for minutes"],
])("a retention of %s is rejected", async (retention, message) => {
  const text = `version: 1\nretention: ${retention}\n`;
  expect(await listProblems(text)).toEqual([`keyturn.yaml:2:12  retention: ${message}`]);
});
