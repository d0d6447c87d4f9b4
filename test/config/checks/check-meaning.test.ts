import { expect, test } from "vitest";
import { fakeRotators } from "../fake-rotators.ts";
import { listProblems, load, withTarget } from "../written.ts";

const pair = { accounts: ["a", { name: "b", initial: "b-today" }] };
const admin = { secret: "db-admin" };

/** The problems of the target, without file and place. */
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
  ["a pair whose old password ends at once", { ...pair, grace: "0s" }],
  ["a pair with the grace of one whole period", { ...pair, grace: "90d" }],
  ["a password alone for one account", { publish: { secret: "orders-db", as: "password" } }],
  [
    "a server changed by the managed identity",
    { type: "cloud-server", options: { server: "s" }, admin: "managed-identity" },
  ],
])("%s is possible", async (_what, fields) => {
  expect(await findings(fields)).toEqual([]);
});

test.each([
  [
    "a rotator that cannot use the managed identity",
    { admin: "managed-identity" },
    "admin: relational cannot be changed that way; possible is self or { secret: … }",
  ],
  [
    "a rotator whose accounts cannot change themselves",
    { type: "cloud-server", options: { server: "s" } },
    "admin: cloud-server cannot be changed that way; possible is managed-identity",
  ],
  [
    "a rotator that takes no administrator",
    { type: "cloud-server", options: { server: "s" }, admin },
    "admin: cloud-server cannot be changed that way; possible is managed-identity",
  ],
  [
    "an account that is there twice",
    { accounts: ["App", "app"], admin },
    "accounts[1]: is the same account as the first one",
  ],
  [
    "an administrator that is the account itself",
    { admin: { ...admin, account: "APP" } },
    "admin.account: is one of the accounts that this target changes; use admin: self, or another administrator",
  ],
  [
    "a password alone for a pair",
    { ...pair, publish: { secret: "orders-db", as: "password" } },
    "publish.as: must be json for a pair: from the password alone, consumers could not know the account",
  ],
  [
    "grace for one account",
    { grace: "1h" },
    "grace: has no meaning for one account, whose old password ends with the change",
  ],
  [
    "grace longer than the period",
    { ...pair, grace: "91d" },
    "grace: is longer than the policy's every (90d); a pair needs both accounts by then",
  ],
  [
    "a pair that changes itself and does not know how to begin",
    { accounts: ["a", "b"] },
    "accounts[1]: needs initial (the secret that holds its password today): with admin: self, each account logs in by itself",
  ],
  [
    "an administrator in the secret that is published",
    { admin: { secret: "ORDERS-db" } },
    "admin.secret: is the secret that this target publishes; use admin: self, or another secret",
  ],
  [
    "a first password in the secret that is published",
    { accounts: [{ name: "a", initial: { secret: "orders-db", vault: "main" } }] },
    "accounts[0].initial: is the secret that this target publishes; leave it out for the account that is in there",
  ],
  [
    "a secret whose name is kept for pending ones",
    { publish: "Keyturn-Pending-orders" },
    "publish: begins with keyturn-pending-, which Keyturn uses itself",
  ],
])("%s is refused", async (_what, fields, finding) => {
  expect(await findings(fields)).toEqual([finding]);
});

test("a bad name of a secret does not hide that a pair cannot publish a password alone", async () => {
  expect(await findings({ ...pair, publish: { secret: "a_b", as: "password" } })).toEqual([
    expect.stringContaining("publish.secret: must be the name of a secret"),
    expect.stringContaining("publish.as: must be json for a pair"),
  ]);
});

test("a default grace beyond the period must be written", async () => {
  const text = withTarget(pair).replace("every: 90d", "every: 1h");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:5:3  targets.orders.grace: is 1d by default, which is longer than the policy's every (1h); a pair needs both accounts by then",
  ]);
});

test("a consumer that is told twice is refused", async () => {
  const text = `${withTarget({ consumers: ["api", "api"] })}consumers:
  api: { type: webhook, url: https://api.example, key: { secret: api-key } }
`;
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:11:23  targets.orders.consumers[1]: is there twice",
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
    " says nothing that makes a rotation due; say every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true",
  ],
  [
    "timing",
    "{ every: 1d, manualOnly: true }",
    "every: has no effect with manualOnly; take one of them out",
  ],
  ["length", "{ every: 1d, password: { length: 129 } }", "password.length: must be at most 128"],
  [
    "length",
    "{ every: 1d, password: { length: 20 } }",
    "password: leaves 119 bits of entropy and must leave 128; length: 22 is enough",
  ],
  [
    "symbols",
    '{ every: 1d, password: { symbols: "a-" } }',
    "password.symbols: must hold no letters and no digits",
  ],
  [
    "symbols",
    '{ every: 1d, password: { symbols: "é" } }',
    "password.symbols: must hold only printable ASCII characters, and no space",
  ],
  [
    "exclude",
    '{ every: 1d, password: { exclude: "0123456789-_.~" } }',
    "password.exclude: leaves no digits and no symbols; many systems demand some",
  ],
])("a policy's %s outside of what is possible is refused: %s", async (_what, policy, finding) => {
  const text = `version: 1\npolicies: { p: ${policy} }\n`;
  const lines = await listProblems(text);
  expect(lines.map((line) => line.replace(/^\S+ {2}policies\.p[.:]/, ""))).toEqual([finding]);
});

test("a policy without symbols needs none", async () => {
  const text = 'version: 1\npolicies: { p: { manualOnly: true, password: { symbols: "" } } }\n';
  expect(await listProblems(text)).toEqual([]);
});

test("a target that names no policy needs one named default", async () => {
  expect(await listProblems(withTarget({}).replace("default:", "other:"))).toEqual([
    "keyturn.yaml:5:3  targets.orders: names no policy and matches none, and there is none called default",
  ]);
});

test("with several vaults, every secret says in which one it is", async () => {
  const text = withTarget({
    accounts: [{ name: "a", initial: "a-today" }],
    admin,
    publish: { secret: "x", vault: "main" },
  }).replace("main:", "other: { url: https://other.vault.azure.net }, main:");
  const notify =
    "notify: [{ type: event-grid, endpoint: https://topic.eventgrid.azure.net, key: { secret: k } }]\n";
  expect(await listProblems(text + notify)).toEqual([
    "keyturn.yaml:8:38  targets.orders.accounts[0].initial: must say which vault: other, main",
    "keyturn.yaml:9:5  targets.orders.admin: must say which vault: other, main",
    "keyturn.yaml:11:75  notify[0].key: must say which vault: other, main",
  ]);
});

test("without a vault there is no place for secrets", async () => {
  const text = withTarget({}).replace(/vaults: .*/, "vaults: {}");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:10:14  targets.orders.publish: needs a vault, and none is configured; add one under vaults",
  ]);
});

test.each([
  [
    "https://kv.vault.azure.net/secrets/x",
    "must be the address of the vault alone, such as https://orders.vault.azure.net",
  ],
  ["https://me:pw@kv.vault.azure.net", "must not hold a user name or password"],
  [
    "http://kv.vault.azure.net",
    "must begin with https://; http is for addresses of this machine only",
  ],
  ["kv.example", "must be a web address that begins with https://"],
  ["https://", "is no valid web address"],
])("%s is no address of a vault", async (url, message) => {
  expect(await listProblems(`version: 1\nvaults: { main: { url: "${url}" } }\n`)).toEqual([
    `keyturn.yaml:2:24  vaults.main.url: ${message}`,
  ]);
});

test.each([
  "http://localhost:8300",
  "http://127.0.0.1:8300/",
  "http://[::1]:8300",
  "https://KV.vault.azure.net/",
])("%s is an address of a vault", async (url) => {
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

test("two targets do not publish the same secret", async () => {
  const text = two(
    "options: { host: a }, accounts: [a], publish: shared",
    "options: { host: b }, accounts: [b], publish: { secret: SHARED, vault: main }",
  );
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:6:97  targets.two.publish.secret: is the secret that target one (keyturn.yaml:5:3) publishes as well",
  ]);
});

test("two targets do not change the same account", async () => {
  const text = two(
    "options: { host: db.example }, accounts: [b, app], publish: one",
    "options: { host: DB.example, port: 5432 }, accounts: [app], publish: two",
  ).replace("self", "{ secret: root }");
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:6:95  targets.two.accounts[0]: is the account that target one (keyturn.yaml:5:3) changes as well",
  ]);
});

test("the same account name on another port or host is another account", async () => {
  const text = two(
    "options: { host: db.example }, accounts: [app], publish: one",
    "options: { host: db.example, port: 5433 }, accounts: [app], publish: two",
  );
  expect(await listProblems(text)).toEqual([]);
});

test("the same account is the same for every database of the server", async () => {
  const text = two(
    "options: { host: db.example, database: a }, accounts: [app], publish: one",
    "options: { host: db.example, database: b }, accounts: [app], publish: two",
  );
  const lines = await listProblems(text);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^keyturn\.yaml:6:\d+ {2}targets\.two\.accounts\[0\]: is the account/);
});

test("where accounts live in realms of a server, the same name in another one is another account", async () => {
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

test("TLS that is switched off is worth a warning", async () => {
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
        "TLS is off: passwords cross the network in the clear, and anybody can pose as the server",
    },
  ]);
  expect((await load(withTarget({}))).warnings).toEqual([]);
});

test("one vault has one name", async () => {
  const text =
    "version: 1\nvaults:\n  a: { url: https://kv.vault.azure.net }\n  b: { url: https://kv.vault.azure.net/ }\n";
  expect(await listProblems(text)).toEqual([
    "keyturn.yaml:4:13  vaults.b.url: is the address of vault a (keyturn.yaml:3:3) as well; use one name for it",
  ]);
});
