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
