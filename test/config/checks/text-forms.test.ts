import { expect, test } from "vitest";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { load, problemLines, withTarget } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const admin = { secret: "orders-admin" };

/** The problems of a target that publishes this. */
async function findProblems(type: string, as: string, more: object = {}) {
  const text = withTarget({
    ...{ type, options: { host: "db.example.com" }, accounts: ["app"], admin },
    ...{ publish: { secret: "orders-db", as }, ...more },
  });
  const lines = await problemLines(load(text, rotators));
  return lines.map((line) => line.replace(/^keyturn.yaml:[0-9]+:[0-9]+ {2}targets.orders./, ""));
}

const pair = { accounts: ["app_a", "app_b"] };

test.each([
  ["postgresql", ["uri", "jdbc", "ado", "odbc", "libpq", "sqlalchemy"]],
  ["mysql", ["jdbc", "ado", "sqlalchemy"]],
  ["azure-sql", ["jdbc", "ado", "odbc", "sqlalchemy"]],
  ["mongodb", ["uri"]],
  ["redis", ["uri"]],
])("%s has the text forms %o, for one account and for pairs", async (type, forms) => {
  for (const as of forms) {
    expect(await findProblems(type, as)).toEqual([]);
    expect(await findProblems(type, as, pair)).toEqual([]);
  }
});

test.each([
  ["mysql", "uri", {}, "json, password, jdbc, ado or sqlalchemy: mysql has no form uri"],
  ["mysql", "libpq", pair, "json, jdbc, ado or sqlalchemy: mysql has no form libpq"],
  ["mongodb", "jdbc", {}, "json, password or uri: mongodb has no form jdbc"],
  ["redis", "sqlalchemy", pair, "json or uri: redis has no form sqlalchemy"],
  ["external", "uri", {}, "json or password: external has no form uri"],
  [
    "mysql",
    "password",
    pair,
    "json, jdbc, ado or sqlalchemy for a pair: consumers need the account name together with the password",
  ],
])("%s as %s is reported with what fits", async (type, as, more, message) => {
  const given = type === "external" ? { admin: undefined, ...more } : more;
  expect(await findProblems(type, as, given)).toContain(`publish.as: must be ${message}`);
});

test("an access key of Azure has no text form, but a connection string", async () => {
  const options = {
    service: "storage",
    resource:
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/orders",
  };
  const more = { options, accounts: ["key1", "key2"], admin: "managed-identity" };
  expect(await findProblems("azure-key", "uri", more)).toEqual([
    "publish.as: must be json, password or connection-string: azure-key has no form uri",
  ]);
});

test("SQLAlchemy needs a plain name of the database", async () => {
  const options = { host: "db.example.com", database: "my shop" };
  expect(await findProblems("postgresql", "uri", { options })).toEqual([]);
  expect(await findProblems("postgresql", "sqlalchemy", { options })).toEqual([
    "publish.as: must be json, password, uri, jdbc, ado, odbc or libpq: versions of SQLAlchemy read special characters in the name of a database differently",
  ]);
});

test("psqlODBC needs plain names", async () => {
  const message =
    "publish.as: must be json, uri, jdbc, ado, libpq or sqlalchemy: psqlODBC has no quotes for names of accounts and databases, so they must not contain a semicolon or a brace";
  expect(await findProblems("postgresql", "odbc", { accounts: ["app", "a;b"] })).toEqual([message]);
  expect(await findProblems("postgresql", "odbc", { accounts: ["app", "o'b@c"] })).toEqual([]);
  expect(await findProblems("azure-sql", "odbc", { accounts: ["a;b"] })).toEqual([]);
});

test("a name that is no format is reported with a suggestion of the formats", async () => {
  expect(await findProblems("postgresql", "url")).toEqual([
    expect.stringMatching(/^publish.as: .*"uri"/),
  ]);
});
