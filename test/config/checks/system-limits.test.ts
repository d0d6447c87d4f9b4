import { expect, test } from "vitest";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { azureSqlServer, load, problemLines, withTarget } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });
const listProblems = (text: string) => problemLines(load(text, rotators));
const fields = (problems: readonly string[]) =>
  problems.map((line) => line.replace(/^keyturn.yaml:[0-9]+:[0-9]+ {2}targets.orders./, ""));
const admin = { secret: "orders-admin" };
const on = (type: string, more: object = {}) =>
  withTarget({ type, options: { host: "db.example.com" }, admin, ...more });

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
  ["azure-sql", String.raw`CONTOSO\app`, "must not contain a backslash: accounts of Windows"],
  ["postgresql", "none", "must not be none or public or begin with pg_"],
  ["postgresql", "public", "must not be none or public or begin with pg_"],
  ["postgresql", "pg_orders", "must not be none or public or begin with pg_"],
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
  ["postgresql", "Public"],
  ["postgresql", "pgorders"],
  ["mysql", "x".repeat(128)],
  ["mysql", " orders"],
  ["redis", 'o\'brien@"the"'],
  ["mongodb", "two words 😀"],
  ["azure-sql", "😀".repeat(64)],
])("%s may have an account named %j", async (type, name) => {
  expect(await listProblems(on(type, { accounts: [name] }))).toEqual([]);
});

test.each(["sa", "Admin", "administrator", "root", "guest", "public", "dbo", "db_owner", "sys"])(
  "an administrator of a logical server is never named %s",
  async (name) => {
    expect(fields(await listProblems(withTarget({ ...azureSqlServer, accounts: [name] })))).toEqual(
      [expect.stringMatching(/^accounts\[0\]: must not be a reserved name/)],
    );
  },
);

test("an administrator of a logical server may have a name that begins with a reserved one", async () => {
  expect(await listProblems(withTarget({ ...azureSqlServer, accounts: ["sa-orders"] }))).toEqual(
    [],
  );
});

test.each([
  [33, "orders.mysql.database.azure.com", 1],
  [33, "Orders.MySQL.database.chinacloudapi.cn", 1],
  [33, "orders.mysql.database.usgovcloudapi.net", 1],
  [32, "orders.mysql.database.azure.com", 0],
  [33, "db.example.com", 0],
])("a name of %i characters at %s of MySQL: %i problem", async (length, host, count) => {
  const name = "x".repeat(length);
  const limit = (path: string) => Array.from({ length: count }, () => `${path}: ${limits}`);
  const limits =
    "must have at most 32 characters on Azure Database for MySQL; write the name as the server stores it";
  const text = on("mysql", { options: { host }, accounts: [name] });
  expect(fields(await listProblems(text))).toEqual(limit("accounts[0]"));
  const options = { host, identityAccount: name };
  const asIdentity = fields(
    await listProblems(on("mysql", { options, admin: "managed-identity" })),
  );
  expect(asIdentity.filter((line) => line.includes("identityAccount"))).toEqual(
    limit("options.identityAccount"),
  );
});

test.each(["mysql", "postgresql"])(
  "%s: the account of the app's identity is none of the accounts that it changes",
  async (type) => {
    const suffix = type === "mysql" ? "mysql" : "postgres";
    const host = `db.${suffix}.database.azure.com`;
    const identity = (identityAccount: string, more: object = {}) =>
      on(type, {
        options: { host, identityAccount, ...more },
        accounts: ["orders_a", { name: "orders_b" }],
        admin: "managed-identity",
      });
    expect(await listProblems(identity("app"))).toEqual([]);
    const message =
      "options.identityAccount: is one of the accounts that this target rotates; the app's identity needs another account, which has no password";
    expect(fields(await listProblems(identity("Orders_B")))).toEqual([message]);
    // An option with a problem hides no other.
    expect(fields(await listProblems(identity("orders_a", { port: 0 })))).toContain(message);
  },
);

test.each([
  ["mariadb", "mysql"],
  ["valkey", "redis"],
  ["sqlserver", "azure-sql"],
  ["mssql", "azure-sql"],
  ["documentdb", "mongodb"],
  ["cosmosdb", "mongodb"],
  ["postgres", "postgresql"],
  ["MySQL", "mysql"],
])("the type %s is answered with: use %s", async (written, type) => {
  expect(fields(await listProblems(on(written)))).toEqual([
    `type: is not a type of target; use ${type}`,
  ]);
});

const exactlyOne = "must have exactly one of host, hosts and srvHost";
const withoutDomain = "must be the name of a logical server, without the domain, in lower case";

test.each([
  ["azure-sql", { host: "x,1433" }, "host", "must be written without a port. Set options.port"],
  ["azure-sql", { host: "x, 1433" }, "host", "must be written without a port. Set options.port"],
  [
    "azure-sql",
    { host: String.raw`srv\INST` },
    "host",
    "must be written without the name of an instance. Set options.port to the port of the instance",
  ],
  [
    "mongodb",
    { srvHost: "mongodb+srv://db.example.com" },
    "srvHost",
    "must be written without mongodb+srv://, and without a user, a path and options",
  ],
  ["mongodb", { host: "a", srvHost: "a.example.com" }, "host", exactlyOne],
  [
    "redis",
    { host: "r1", nodes: ["r2:6379"] },
    "nodes[0]",
    "must be a mapping, such as { host: redis-2.example.com, port: 6379 }",
  ],
  ["redis", { host: "r1", nodes: [{ name: "r2" }] }, "nodes[0].name", "is not a known key"],
])("%s with %j: %s %s", async (type, options, field, message) => {
  expect(fields(await listProblems(on(type, { options })))).toContainEqual(
    expect.stringContaining(`options.${field}: ${message}`),
  );
});

test.each(["sql-shop.database.windows.net", "SQL-Shop"])(
  "the logical server %s is answered with the form of its name",
  async (server) => {
    const text = withTarget({ ...azureSqlServer, options: { ...azureSqlServer.options, server } });
    expect(fields(await listProblems(text))).toEqual([`options.server: ${withoutDomain}`]);
  },
);

const documentDb = "orders.mongocluster.cosmos.azure.com";
const twice = (first: string) => `is the same server as options.${first}; remove it`;

test.each([
  ["azure-sql", { host: "a", alsoOn: ["A:1433"] }, { "alsoOn[0]": twice("host") }],
  ["azure-sql", { host: "a", port: 1444, alsoOn: ["a", "a:1433"] }, { "alsoOn[0]": twice("host") }],
  ["azure-sql", { host: "a", alsoOn: ["b", "B:1433"] }, { "alsoOn[1]": twice("alsoOn[0]") }],
  ["azure-sql", { host: "a", alsoOn: ["a:1434", "b"] }, {}],
  ["redis", { host: "a", nodes: [{ host: "A" }] }, { "nodes[0]": twice("host") }],
  [
    "redis",
    { host: "a", nodes: [{ host: "b" }, { host: "B", port: 6379 }] },
    { "nodes[1]": twice("nodes[0]") },
  ],
  ["redis", { host: "a", nodes: [{ host: "a", port: 6380 }] }, {}],
  ["mongodb", { hosts: ["a:1", "b:1", "A:1"] }, { "hosts[2]": twice("hosts[0]") }],
  ["mongodb", { hosts: ["a:1", "a:2"] }, {}],
  ["postgresql", { host: "a", direct: { host: "A", port: 5432 } }, { direct: twice("host") }],
  ["postgresql", { host: "a", port: 6432, direct: { host: "a" } }, {}],
  [
    "mongodb",
    { host: documentDb },
    { host: "is a host of Azure DocumentDB, whose servers only DNS names" },
  ],
  [
    "mongodb",
    { hosts: [`${documentDb}:10260`] },
    { hosts: "is a host of Azure DocumentDB, whose servers only DNS names" },
  ],
  ["mongodb", { srvHost: documentDb }, {}],
])("%s with %j has the problems %j", async (type, options, expected: object) => {
  const problems = fields(await listProblems(on(type, { options })));
  expect(problems).toEqual(
    Object.entries(expected).map(
      ([field, message]) => expect.stringContaining(`options.${field}: ${message}`) as unknown,
    ),
  );
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
    "type: Azure DocumentDB does not show who is logged in. Replace retire: proof of policy default with retire: grace",
  ]);
  expect(await listProblems(proof("orders.example.com"))).toEqual([]);
});

test("a pair is rejected where the system cannot end an account", async () => {
  expect(await listProblems(withTarget(azureSqlServer))).toEqual([]);
  const pair = { accounts: ["orders_a", "orders_b"] };
  expect(fields(await listProblems(withTarget({ ...azureSqlServer, ...pair })))).toEqual([
    "accounts: must be one account: azure-sql-server cannot end the password of the other account of a pair; write one account",
  ]);
});

test.each([
  ["azure-sql", on("azure-sql")],
  ["azure-sql-server", withTarget(azureSqlServer)],
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
        new RegExp(
          `^options.${field}: .*with admin: managed-identity must be in database.windows.net`,
        ),
      ),
    ]);
  }
});
