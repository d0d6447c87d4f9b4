import { expect, test } from "vitest";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { load, problemLines, withTarget } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const listProblems = (text: string) => problemLines(load(text, rotators));
const fields = (problems: readonly string[]) =>
  problems.map((line) => line.replace(/^keyturn.yaml:[0-9]+:[0-9]+ {2}targets.orders./, ""));
const admin = { secret: "orders-admin" };
const on = (type: string, more: object = {}) =>
  withTarget({ type, options: { host: "db.example.com" }, admin, ...more });

const arm = {
  type: "azure-sql-server",
  options: {
    subscription: "11111111-2222-4333-8444-555555555555",
    resourceGroup: "orders",
    server: "orders",
  },
  admin: "managed-identity",
};

test("the line of a name that no account of the system can have is reported, with what to write instead", async () => {
  const text = on("postgresql", { accounts: ["orders_a", "x".repeat(64)] });
  const line = text.split("\n").findIndex((one) => one.includes("orders_a")) + 1;
  expect(await listProblems(text)).toEqual([
    expect.stringMatching(
      new RegExp(
        `^keyturn.yaml:${line}:[0-9]+ {2}targets.orders.accounts\\[1\\]: must have at most 63 bytes, because PostgreSQL cuts off longer names; write the name as the server stores it$`,
      ),
    ),
  ]);
});

test.each([
  ["postgresql", "ü".repeat(32), "must have at most 63 bytes"],
  ["mysql", "orders ", "must not end with a space, which MySQL removes"],
  ["mysql", "orders 😀", "must not contain characters such as emoji"],
  ["redis", "two words", "must not contain a space"],
  ["azure-sql", "😀".repeat(65), "must have at most 128 characters"],
])("%s has no account named %j", async (type, name, message) => {
  for (const accounts of [[name], [{ name }]]) {
    const [first, ...others] = fields(await listProblems(on(type, { accounts })));
    expect(first).toContain(`accounts[0]: ${message}`);
    expect(others).toEqual([]);
  }
});

test.each([
  ["postgresql", "x".repeat(63)],
  ["postgresql", "ü".repeat(31)],
  ["mysql", "x".repeat(128)],
  ["mysql", " orders"],
  ["redis", 'o\'brien@"the"'],
  ["mongodb", "two words 😀"],
  ["azure-sql", "😀".repeat(64)],
])("%s may have an account named %j", async (type, name) => {
  expect(await listProblems(on(type, { accounts: [name] }))).toEqual([]);
});

test("the names of an administrator and of the account of the app's identity are checked, too", async () => {
  const long = "x".repeat(64);
  expect(
    fields(await listProblems(on("postgresql", { admin: { ...admin, account: long } }))),
  ).toEqual([expect.stringMatching(/^admin.account: must have at most 63 bytes/)]);
  const options = { host: "db.example.com", identityAccount: long };
  expect(
    fields(await listProblems(on("postgresql", { options, admin: "managed-identity" }))),
  ).toEqual([expect.stringMatching(/^options.identityAccount: must have at most 63 bytes/)]);
});

test("retire: proof is rejected where the options name a service that does not show who is logged in", async () => {
  const pair = { accounts: ["orders_a", "orders_b"] };
  const proof = (host: string) =>
    on("mongodb", { ...pair, options: { srvHost: host } }).replace(
      "every: 90d",
      "every: 90d, retire: proof",
    );
  expect(fields(await listProblems(proof("orders.mongocluster.cosmos.azure.com")))).toEqual([
    "type: Azure DocumentDB does not show who is logged in, so it cannot report whether an account is in use, " +
      "so retire: proof of policy default is not possible; use retire: grace",
  ]);
  expect(await listProblems(proof("orders.example.com"))).toEqual([]);
});

test("a pair is rejected where the system cannot end an account", async () => {
  expect(await listProblems(withTarget(arm))).toEqual([]);
  const pair = { accounts: ["orders_a", "orders_b"] };
  expect(fields(await listProblems(withTarget({ ...arm, ...pair })))).toEqual([
    "accounts: must be one account: azure-sql-server cannot end the password of the other account of a pair",
  ]);
});

test.each([
  ["azure-sql", on("azure-sql")],
  ["azure-sql-server", withTarget(arm)],
])("passwords that %s would refuse are reported", async (_type, text) => {
  const [problem] = fields(
    await listProblems(
      text.replace("every: 90d", "every: 90d, password: { atLeast: { digits: 0, symbols: 0 } }"),
    ),
  );
  expect(problem).toContain(
    "type: policy default has passwords with characters of only 2 of the classes",
  );
});

test("the token of the app's identity goes only to hosts of Azure SQL", async () => {
  const identity = (options: object) => on("azure-sql", { options, admin: "managed-identity" });
  const azure = "orders.database.windows.net";
  expect(await listProblems(identity({ host: azure }))).toEqual([]);
  for (const [field, options] of [
    ["host", { host: "db.example.com" }],
    ["alsoOn", { host: azure, alsoOn: ["db.example.com"] }],
  ] as const) {
    expect(fields(await listProblems(identity(options)))).toEqual([
      expect.stringMatching(
        new RegExp(`^options.${field}: .*must be a name in database.windows.net`),
      ),
    ]);
  }
});
