import { expect, test } from "vitest";
import { fakeRotators } from "../fake-rotators.ts";
import { listProblems, load, withTarget } from "../written.ts";

const pair = { accounts: ["a", { name: "b", initial: "b-today" }] };
const admin = { secret: "db-admin" };

/** Lists the problems of the target, without file and position. */
async function findings(fields: Readonly<Record<string, unknown>>): Promise<string[]> {
  const lines = await listProblems(withTarget(fields));
  return lines.map((line) => line.replace(/^keyturn\.yaml:\d+:\d+ {2}targets\.orders\./, ""));
}

test.each([
  ["one account that changes its own password", {}],
  ["one account and an administrator", { admin }],
  ["an administrator in a secret that also names it", { admin: { ...admin, account: "root" } }],
  ["a pair that changes itself", pair],
  ["a pair and an administrator", { accounts: ["a", "b"], admin, grace: "2d" }],
  ["a pair without a grace", { ...pair, grace: "0s" }],
  ["a pair with the grace of one whole period", { ...pair, grace: "90d" }],
  ["a bare password for one account", { publish: { secret: "orders-db", as: "password" } }],
  [
    "a server that the managed identity changes",
    { type: "cloud-server", options: { server: "s" }, admin: "managed-identity" },
  ],
])("%s is accepted", async (_what, fields) => {
  expect(await findings(fields)).toEqual([]);
});

test("targets that follow each other in a circle are refused", async () => {
  const reports =
    "{ type: relational, options: { host: b.example }, accounts: [app], admin: self, publish: reports-db, after: orders }";
  const both = withTarget({ after: "reports" }).replace(
    "targets:",
    `targets:\n  reports: ${reports}`,
  );
  expect((await listProblems(both)).join("\n")).toContain(
    "must not lead back to the target itself, but does: orders follows reports follows orders",
  );
});

test.each([
  [
    "a target that follows one that does not exist",
    { after: "order" },
    'after: target "order" does not exist (did you mean "orders"?)',
  ],
  [
    "a rotator that cannot use the managed identity",
    { admin: "managed-identity" },
    "admin: is not supported for relational; use self or { secret: … }",
  ],
  [
    "a rotator whose accounts cannot change themselves",
    { type: "cloud-server", options: { server: "s" } },
    "admin: is not supported for cloud-server; use managed-identity",
  ],
  [
    "a rotator that does not support an administrator",
    { type: "cloud-server", options: { server: "s" }, admin },
    "admin: is not supported for cloud-server; use managed-identity",
  ],
  [
    "an account that is listed twice",
    { accounts: ["App", "app"], admin },
    "accounts[1]: is the same account as accounts[0]; a pair needs two accounts",
  ],
  [
    "an administrator that is one of the accounts",
    { admin: { ...admin, account: "APP" } },
    "admin.account: is one of the accounts that this target rotates; use admin: self, or another administrator",
  ],
  [
    "a bare password for a pair",
    { ...pair, publish: { secret: "orders-db", as: "password" } },
    "publish.as: must be json for a pair: consumers need the account name together with the password",
  ],
  [
    "grace for one account",
    { grace: "1h" },
    "grace: has no effect with one account, because its old password stops working at the change; remove it",
  ],
  [
    "grace longer than the period",
    { ...pair, grace: "91d" },
    "grace: is longer than every of the policy (90d); use a shorter grace, because the next rotation needs the other account",
  ],
  [
    "a pair that changes itself without an initial secret",
    { accounts: ["a", "b"] },
    "accounts[1]: needs initial (the secret that holds its current password), because with admin: self each account changes its own password",
  ],
  [
    "an administrator in the secret that is published",
    { admin: { secret: "ORDERS-db" } },
    "admin.secret: is the secret that this target publishes; use admin: self, or another secret",
  ],
  [
    "an initial password in the secret that is published",
    { accounts: [{ name: "a", initial: { secret: "orders-db", vault: "main" } }] },
    "accounts[0].initial: is the secret that this target publishes; remove initial from the account",
  ],
  [
    "a secret with a name that is reserved for pending secrets",
    { publish: "Keyturn-Pending-orders" },
    "publish: must not begin with keyturn-pending-, which is reserved for pending secrets of Keyturn",
  ],
])("%s is rejected", async (_what, fields, finding) => {
  expect(await findings(fields)).toEqual([finding]);
});

test("a bad secret name does not hide that a pair cannot publish a bare password", async () => {
  expect(await findings({ ...pair, publish: { secret: "a_b", as: "password" } })).toEqual([
    expect.stringContaining("publish.secret: must be the name of a secret"),
    expect.stringContaining("publish.as: must be json for a pair"),
  ]);
});

test("a default grace that is longer than the period is rejected", async () => {
  const text = withTarget(pair).replace("every: 90d", "every: 1h");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:5:3  targets.orders.grace: is 1d by default, which is longer than every of the policy (1h); use a shorter grace, because the next rotation needs the other account",
  ]);
});

test("a consumer that is listed twice is rejected", async () => {
  const text = `${withTarget({ consumers: ["api", "api"] })}consumers:
  api: { type: webhook, url: https://api.example, key: { secret: api-key } }
`;
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:11:23  targets.orders.consumers[1]: is listed twice",
  ]);
});

test.each([
  ["every", "{ every: 9s }", "every: must be between 10s and 3650d"],
  ["every", "{ every: 522w }", "every: must be between 10s and 3650d"],
  ["retry", "{ every: 1d, retry: { every: 999ms } }", "retry.every: must be between 1s and 30d"],
  ["retry", "{ every: 1d, retry: { attempts: 101 } }", "retry.attempts: must be at most 100"],
  ["retry", "{ every: 1d, retry: { attempts: 1.5 } }", "retry.attempts: must be a whole number"],
  [
    "timing",
    "{}",
    " never makes a rotation due; set every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true",
  ],
  [
    "timing",
    "{ every: 1d, manualOnly: true }",
    "every: has no effect with manualOnly; remove one of the two",
  ],
  ["length", "{ every: 1d, password: { length: 129 } }", "password.length: must be at most 128"],
  [
    "length",
    "{ every: 1d, password: { length: 20 } }",
    "password: must leave 128 bits of entropy, but leaves 119; use length: 22",
  ],
  [
    "symbols",
    '{ every: 1d, password: { symbols: "a-" } }',
    "password.symbols: must not contain letters or digits",
  ],
  [
    "symbols",
    '{ every: 1d, password: { symbols: "é" } }',
    "password.symbols: must contain only printable ASCII characters, without spaces",
  ],
  [
    "exclude",
    '{ every: 1d, password: { exclude: "0123456789-_.~" } }',
    "password.exclude: leaves no digits and no symbols, which many systems require; allow some",
  ],
])("a policy's %s that is out of range is rejected: %s", async (_what, policy, finding) => {
  const text = `version: 1\npolicies: { p: ${policy} }\n`;
  const lines = await listProblems(text);
  expect(lines.map((line) => line.replace(/^\S+ {2}policies\.p[.:]/, ""))).toEqual([finding]);
});

test("a policy without symbols requires none", async () => {
  const text = 'version: 1\npolicies: { p: { manualOnly: true, password: { symbols: "" } } }\n';
  expect(await listProblems(text)).toEqual([]);
});

test("a target that names no policy needs a policy named default", async () => {
  expect(await listProblems(withTarget({}).replace("default:", "other:"))).toEqual([
    "keyturn.yaml:5:3  targets.orders: names no policy and matches no policy, and no policy is named default; add a policy named default, or name a policy in the target",
  ]);
});

test("with several vaults, every secret must name its vault", async () => {
  const text = withTarget({
    accounts: [{ name: "a", initial: "a-today" }],
    admin,
    publish: { secret: "x", vault: "main" },
  }).replace("main:", "other: { url: https://other.vault.azure.net }, main:");
  const notify =
    "notify: [{ type: event-grid, endpoint: https://topic.eventgrid.azure.net, key: { secret: k } }]\n";
  expect(await listProblems(text + notify)).toEqual([
    "keyturn.yaml:8:38  targets.orders.accounts[0].initial: must name a vault, because several are configured: other, main",
    "keyturn.yaml:9:5  targets.orders.admin: must name a vault, because several are configured: other, main",
    "keyturn.yaml:11:75  notify[0].key: must name a vault, because several are configured: other, main",
  ]);
});

test("without a vault, every secret is rejected", async () => {
  const text = withTarget({}).replace(/vaults: .*/, "vaults: {}");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:10:14  targets.orders.publish: needs a vault, but no vault is configured; add one under vaults",
  ]);
});

test.each([
  [
    "https://kv.vault.azure.net/secrets/x",
    "must be the address of a vault without a path, such as https://orders.vault.azure.net",
  ],
  ["https://me:pw@kv.vault.azure.net", "must not contain a user name or password"],
  [
    "http://kv.vault.azure.net",
    "must begin with https://; http:// is allowed for loopback addresses only",
  ],
  ["kv.example", "must be a web address that begins with https://"],
  ["https://", "is not a valid web address"],
])("%s is rejected as the address of a vault", async (url, message) => {
  expect(await listProblems(`version: 1\nvaults: { main: { url: "${url}" } }\n`)).toEqual([
    `keyturn.yaml:2:24  vaults.main.url: ${message}`,
  ]);
});

test.each([
  "http://localhost:8300",
  "http://127.0.0.1:8300/",
  "http://[::1]:8300",
  "https://KV.vault.azure.net/",
])("%s is accepted as the address of a vault", async (url) => {
  const { vaults } = await load(`version: 1\nvaults: { main: { url: "${url}" } }\n`);
  expect(vaults["main"]?.url).toBe(url.toLowerCase().replace(/\/$/, ""));
});

const two = (first: string, second: string) => `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { manualOnly: true } }
targets:
  one: { type: relational, admin: self, ${first} }
  two: { type: relational, admin: self, ${second} }
`;

test("two targets cannot publish the same secret", async () => {
  const text = two(
    "options: { host: a }, accounts: [a], publish: shared",
    "options: { host: b }, accounts: [b], publish: { secret: SHARED, vault: main }",
  );
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:6:97  targets.two.publish.secret: is already published by target one (keyturn.yaml:5:3); use another secret",
  ]);
});

test("two targets cannot rotate the same account", async () => {
  const text = two(
    "options: { host: db.example }, accounts: [b, app], publish: one",
    "options: { host: DB.example, port: 5432 }, accounts: [app], publish: two",
  ).replace("self", "{ secret: root }");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:6:95  targets.two.accounts[0]: is already rotated by target one (keyturn.yaml:5:3); an account can belong to one target only",
  ]);
});

test("the same account name on another port or host is another account", async () => {
  const text = two(
    "options: { host: db.example }, accounts: [app], publish: one",
    "options: { host: db.example, port: 5433 }, accounts: [app], publish: two",
  );
  expect(await listProblems(text)).toEqual([]);
});

test("an account is the same in every database of a server", async () => {
  const text = two(
    "options: { host: db.example, database: a }, accounts: [app], publish: one",
    "options: { host: db.example, database: b }, accounts: [app], publish: two",
  );
  const lines = await listProblems(text);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^keyturn\.yaml:6:\d+ {2}targets\.two\.accounts\[0\]: is already rotated by/,
  );
});

test("if a server has realms, the same name in another realm is another account", async () => {
  const inRealms = fakeRotators.map((rotator) => ({
    ...rotator,
    accountRealm: (options: unknown) => String(rotator.endpoint(options).database),
  }));
  const text = two(
    "options: { host: db.example, database: a }, accounts: [app], publish: one",
    "options: { host: db.example, database: b }, accounts: [app], publish: two",
  );
  expect((await load(text, inRealms)).targets).toHaveLength(2);
});

test("turning TLS off causes a warning", async () => {
  const { warnings } = await load(
    withTarget({ options: { host: "db.example", tls: { mode: "disable" } } }),
  );
  expect(warnings).toEqual([
    {
      file: "keyturn.yaml",
      line: 7,
      column: 49,
      path: "targets.orders.options.tls.mode",
      message:
        "TLS is off: passwords cross the network unencrypted, and the identity of the server is not verified",
    },
  ]);
  expect((await load(withTarget({}))).warnings).toEqual([]);
});

test("a vault cannot have two names", async () => {
  const text =
    "version: 1\nvaults:\n  a: { url: https://kv.vault.azure.net }\n  b: { url: https://kv.vault.azure.net/ }\n";
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:4:13  vaults.b.url: is also the address of vault a (keyturn.yaml:3:3); configure each vault once",
  ]);
});
