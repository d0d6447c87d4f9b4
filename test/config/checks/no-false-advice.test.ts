import { expect, test } from "vitest";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { azureSqlServer, load, problemLines, withTarget } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const listProblems = async (text: string) =>
  (await problemLines(load(text, rotators))).map((line) => line.replace(/^\S+ {2}/, ""));

const admin = { secret: "orders-admin" };
const invalid = { host: "db.example.com", port: "many" };
const valid = { host: "db.example.com" };
const pair = { accounts: ["orders_a", "orders_b"] };
const proof = { retire: "proof", reason: "shared accounts" };
const usual = { type: "mysql", options: valid, accounts: ["orders"], admin };

const port = "targets.orders.options.port: must be a number";
const retire = "targets.orders.overrides.retire: has no effect with one account; remove it";
const grace =
  "targets.orders.grace: has no effect with one account, because its old password stops working at the change; remove it";

test.each([
  ["mysql", { options: invalid, grace: "1h" }, [port]],
  ["redis", { options: invalid, grace: "1h" }, [port]],
  ["postgresql", { options: invalid, grace: "1h" }, [port, grace]],
  ["mysql", { options: invalid, overrides: proof }, [port, retire]],
  ["redis", { options: invalid, overrides: proof }, [port, retire]],
])(
  "%s: options with a problem lead to no advice that depends on them (%j)",
  async (type, more, expected) => {
    expect((await listProblems(withTarget({ ...usual, type, ...more }))).sort()).toEqual(
      expected.toSorted(),
    );
  },
);

const everyHour = (text: string) => text.replace("every: 90d", "every: 12h");

test.each([
  ["a type that does not exist", { type: "mysq", grace: "1h" }, "type"],
  ["a grace", { ...pair, grace: "soon" }, "grace"],
  ["overrides", { ...pair, overrides: { ...proof, grace: "soon" } }, "overrides.grace"],
  ["a policy", { ...pair, policy: 7 }, "policy"],
])("%s with a problem: its only consequence is that problem", async (_what, more, field) => {
  const problems = await listProblems(everyHour(withTarget({ ...usual, ...more })));
  expect(problems).toEqual([expect.stringMatching(`^targets.orders.${field}: `)]);
});

test("accounts with a problem are not taken for a pair", async () => {
  const text = withTarget({ ...azureSqlServer, accounts: [7] });
  expect(await listProblems(text.replace("every: 90d", "every: 90d, retire: proof"))).toEqual([
    expect.stringMatching(/^targets.orders.accounts\[0\]: /),
  ]);
});

test("a policy with a problem is not completed with defaults that the writer did not choose", async () => {
  const text = withTarget({ ...usual, ...pair, policy: "default" });
  expect(await listProblems(text.replace("every: 90d", "every: 12h, grace: soon"))).toEqual([
    expect.stringMatching(/^policies.default.grace: /),
  ]);
});

const keys = {
  type: "azure-key",
  options: { service: "storage", resource: "orders" },
  accounts: null,
  admin: null,
};
const resource = "targets.orders.options.resource: must be the id of a storage account in Azure";

test("accounts that follow from the options are not missing while the options have a problem", async () => {
  const problems = await listProblems(withTarget(keys));
  expect(problems).toEqual([expect.stringMatching(new RegExp(`^${resource}`))]);
});

test.each([
  ["a first password", {}],
  ["sessions", { overrides: proof }],
  ["an administrator", { admin: { secret: "keys", account: "key1" } }],
])("an authority that the type does not have leads to no advice about %s", async (_what, more) => {
  const id =
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/orders/providers/Microsoft.Storage/storageAccounts/orders";
  const options = { service: "storage", resource: id };
  const problems = await listProblems(withTarget({ ...keys, options, admin: "self", ...more }));
  expect(problems).toEqual([
    "targets.orders.admin: is not supported for azure-key; use managed-identity",
  ]);
});

const clientId = "3f1e0c52-6f5b-4a39-9d1f-0a1b2c3d4e5f";
const entra = {
  ...{ type: "entra-app", options: { tenant: clientId } },
  ...{ accounts: [clientId], admin: null },
};
const probe = (more: object) => ({
  options: { host: "api.example", probe: { url: "https://api.example/me", ...more } },
});
const external = { type: "external", ...probe({}), admin: null };
const webhook = { type: "webhook", options: { url: "https://crm.example.com/keyturn" }, admin };
const azureAdmin = {
  ...azureSqlServer,
  type: "azure-admin",
  options: {
    ...{ service: "postgresql", name: "orders", resourceGroup: "orders" },
    subscription: "11111111-2222-4333-8444-555555555555",
  },
};
const twice = { accounts: ["one", "two"] };
const onAdmin = (options: object) => ({
  ...azureAdmin,
  options: { ...azureAdmin.options, ...options },
});
const https = "must begin with https://, and must have no user name";

test.each([
  [
    "an administrator in the published secret, where accounts cannot change themselves",
    { ...webhook, admin: { secret: "orders-db" } },
    "admin.secret: is the secret that this target publishes; use another secret",
  ],
  [
    "an administrator that is the account, where accounts cannot change themselves",
    { ...webhook, admin: { ...admin, account: "app" } },
    "admin.account: is one of the accounts that this target rotates; use another administrator",
  ],
  [
    "an administrator of values that people hand over",
    { ...external, admin: { secret: "orders-db" } },
    "admin: is not supported for external; remove it: Keyturn does not change such a value",
  ],
  [
    "values that change themselves",
    { ...external, admin: "self" },
    "admin: is not supported for external; remove it: Keyturn does not change such a value",
  ],
  [
    "two applications",
    { ...entra, accounts: [clientId, clientId.replace("3", "4")] },
    "accounts: must be one account: write one; its secrets are side by side",
  ],
  [
    "two values",
    { ...external, ...twice },
    "accounts: must be one account: write two targets, each with an account name of its own",
  ],
  [
    "two administrators",
    { ...azureAdmin, ...twice },
    "accounts: must be one account: azure-admin cannot end the password of the other account of a pair; write one account",
  ],
  [
    "no application",
    { ...entra, accounts: null },
    "accounts: is missing; write one, or write options.application",
  ],
  [
    "another name of a type whose accounts follow from the options",
    { ...keys, type: "azure-storage" },
    "type: is not a type of target; use azure-key",
  ],
  [
    "an accepted status that is refused by default",
    { ...external, ...probe({ accepted: [200, 401] }) },
    "options.probe.accepted: lists 401, which a refused value has by default; also write refused: [403]",
  ],
  [
    "accepted statuses that are all refused by default",
    { ...external, ...probe({ accepted: [401, 403] }) },
    "options.probe.accepted: lists 401 and 403, which a refused value has by default; also write refused: with other statuses",
  ],
  [
    "a status that is accepted and refused",
    { ...external, ...probe({ accepted: [200, 404], refused: [404] }) },
    "options.probe.refused: must not list a status that accepted lists",
  ],
  [
    "another name of a service",
    onAdmin({ service: "azure-postgresql" }),
    "options.service: is written service: postgresql",
  ],
  [
    "a mode of TLS that no service has",
    onAdmin({ tls: { mode: "disable" } }),
    "options.tls.mode: must be strict or mandatory with service: sql-managed-instance; remove it with other services, whose TLS is always verified",
  ],
  [
    "the name of a subscription",
    onAdmin({ subscription: "My Subscription" }),
    "options.subscription: must be the id of a subscription, a GUID; az account show --query id prints it",
  ],
  [
    "a webhook without TLS",
    { ...webhook, options: { url: "http://crm.example.com/keyturn" } },
    `options.url: ${https}, no query and no part after #, such as https://crm.example.com/keyturn`,
  ],
  [
    "a probe without TLS",
    { ...external, ...probe({ url: "http://api.example/me" }) },
    `options.probe.url: ${https} and no part after #, such as https://api.example.com/me`,
  ],
  [
    "the name of a header with a space",
    { ...external, ...probe({ header: "api key" }) },
    "options.probe.header: must be the name of a header, such as x-api-key",
  ],
])("%s: the only advice is what the system accepts", async (_what, fields, problem) => {
  expect(await listProblems(withTarget(fields))).toEqual([`targets.orders.${problem}`]);
});

test("a refused status that replaces the default is accepted", async () => {
  const fields = { ...external, ...probe({ accepted: [200, 401], refused: [403] }) };
  expect(await listProblems(withTarget(fields))).toEqual([]);
});

test("two values of one system need names of their own", async () => {
  const text = withTarget(external).split("\n").filter(Boolean);
  const second = text
    .slice(text.indexOf("  orders:"))
    .join("\n")
    .replace("orders:", "billing:")
    .replace("orders-db", "billing-db");
  const problems = await listProblems(`${text.join("\n")}\n${second}\n`);
  expect(problems).toEqual([
    expect.stringMatching(
      /^targets.billing.accounts.0.: is already the account of target orders .*; give each value an account name of its own$/,
    ),
  ]);
});
