import { describe, expect, it, test } from "vitest";
import { azureAdmin } from "../../shared/rotators/azure-admin/azure-admin.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";
import { load, problemLines, withTarget } from "../config/written.ts";

const rotator = azureAdmin({ getToken: () => Promise.resolve(null) });

const needed = {
  service: "postgresql",
  subscription: "3f0b1c8e-6a1d-4f5e-9a55-0d3c1b2a4e6f",
  resourceGroup: "rg-orders_(prod).1",
  name: "orders",
};
const managedInstance = {
  ...needed,
  service: "sql-managed-instance",
  host: "orders.0a1b2c.database.windows.net",
};

const endpointOf = (options: object) => rotator.endpoint(rotator.options.parse(options));

describe("consumers of an administrator", () => {
  const [usa, china] = [
    "https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
  ];

  it.each([
    ["sql-server", {}, "sqlserver", "orders.database.windows.net", 1433, "master"],
    [
      "sql-server",
      { resourceManager: usa },
      "sqlserver",
      "orders.database.usgovcloudapi.net",
      1433,
      "master",
    ],
    [
      "sql-server",
      { database: "orders" },
      "sqlserver",
      "orders.database.windows.net",
      1433,
      "orders",
    ],
    ["postgresql", {}, "postgresql", "orders.postgres.database.azure.com", 5432, "postgres"],
    [
      "postgresql",
      { resourceManager: china },
      "postgresql",
      "orders.postgres.database.chinacloudapi.cn",
      5432,
      "postgres",
    ],
    ["postgresql", { host: "10.1.2.3", port: 5433 }, "postgresql", "10.1.2.3", 5433, "postgres"],
    ["mysql", {}, "mysql", "orders.mysql.database.azure.com", 3306, undefined],
    [
      "mysql",
      { resourceManager: usa, database: "shop" },
      "mysql",
      "orders.mysql.database.usgovcloudapi.net",
      3306,
      "shop",
    ],
  ] as const)("find %s %j", (service, changed, engine, host, port, database) => {
    expect(endpointOf({ ...needed, service, ...changed })).toEqual({
      ...{ engine, host, port },
      ...(database !== undefined && { database }),
    });
  });

  it("find a managed instance at the host of the options", () => {
    const { host } = managedInstance;
    expect(endpointOf(managedInstance)).toMatchObject({ engine: "sqlserver", host, port: 1433 });
  });

  it("find the servers of a DocumentDB cluster through DNS", () => {
    const more = { scheme: "mongodb+srv", authSource: "admin", tls: "true" };
    const options = { ...needed, service: "documentdb" };
    expect(endpointOf(options)).toMatchObject({
      engine: "mongodb",
      host: "orders.mongocluster.cosmos.azure.com",
      more,
    });
    const resourceManager = "https://management.chinacloudapi.cn";
    expect(endpointOf({ ...options, resourceManager })).toMatchObject({
      host: "orders.mongocluster.cosmos.azure.cn",
    });
  });

  it("find a DocumentDB cluster at another host by its port", () => {
    const endpoint = endpointOf({ ...needed, service: "documentdb", host: "emulator.internal" });
    expect(endpoint).toMatchObject({ host: "emulator.internal", port: 10_260 });
    expect(endpoint.more).not.toHaveProperty("scheme");
  });
});

describe("the options of an administrator", () => {
  it.each([
    ["sql-server", 300_000],
    ["postgresql", 120_000],
  ])("of %s give it %i milliseconds to accept a new password", (service, propagation) => {
    const options = rotator.options.parse({ ...needed, service });
    expect(rotator.findPropagation?.(options)).toBe(propagation);
  });

  it.each([
    ["an unknown service", { service: "oracle" }, "service"],
    ["a name with its domain", { name: "orders.postgres.database.azure.com" }, "name"],
    ["a name that would be a path", { name: "../orders" }, "name"],
    ["a name that is too short", { name: "db" }, "name"],
    [
      "a name that is too long for its service",
      { service: "documentdb", name: "x".repeat(41) },
      "name",
    ],
    ["a port of PgBouncer", { port: 6432 }, "port"],
    ["a host with a port", { host: "db.internal:5432" }, "host"],
    ["a managed instance without its host", { service: "sql-managed-instance" }, "host"],
    ["a mode of TLS for another service", { tls: { mode: "mandatory" } }, "tls.mode"],
    ["a database that cannot be one", { service: "documentdb", database: "a b" }, "database"],
    [
      "a token for anybody else",
      { resourceManager: "https://management.example.com" },
      "resourceManager",
    ],
    [
      "the RU service of Cosmos DB",
      { service: "documentdb", host: "x.mongo.cosmos.azure.com" },
      "host",
    ],
    ["an option of the older type", { server: "orders" }, ""],
  ])("refuse %s", (_, changed, field) => {
    const { error } = rotator.options.safeParse({ ...needed, ...changed });
    expect(error?.issues.map(({ path }) => path.join("."))).toEqual([field]);
  });

  it("accept an instance that does not know TDS 8", () => {
    const options = { ...managedInstance, tls: { mode: "mandatory" } };
    expect(rotator.options.safeParse(options).success).toBe(true);
  });
});

const rotators = makeRotators({ getToken: () => Promise.resolve(null) });
const listProblems = (text: string) => problemLines(load(text, rotators));

const target = (changed: object = {}, accounts = ["ordersadmin"]) =>
  withTarget({
    type: "azure-admin",
    options: { ...needed, ...changed },
    admin: "managed-identity",
    accounts,
  });

describe("the configuration check of an administrator", () => {
  it.each([needed, managedInstance, { ...needed, service: "documentdb" }])(
    "accepts %j",
    async (options) => {
      expect(await listProblems(target(options))).toEqual([]);
    },
  );

  it.each([
    ["postgresql", "azure_pg_admin", "reserved name"],
    ["postgresql", "pg_boss", "PostgreSQL reserves"],
    ["mysql", "root", "reserved name"],
    ["mysql", "x".repeat(33), "at most 32 characters"],
    ["sql-server", "sa", "reserved name"],
  ])("of %s rejects the account %s", async (service, account, words) => {
    const [problem, ...more] = await listProblems(target({ service }, [account]));
    expect(problem).toContain(words);
    expect(more).toEqual([]);
  });

  it("rejects a pair, and another authority", async () => {
    const pair = await listProblems(target({}, ["one_admin", "two_admin"]));
    expect(pair.join()).toContain("must be one account");
    const self = target().replace("managed-identity", "self");
    expect(await listProblems(self)).not.toEqual([]);
  });

  it("rejects passwords of too few classes of characters", async () => {
    const rules = "password: { atLeast: { digits: 0, symbols: 0 } }";
    const text = target().replace("every: 90d", `every: 90d, ${rules}`);
    const [problem] = await listProblems(text);
    expect(problem).toContain("of only 2 of the classes");
    expect(problem).toContain("Azure requires 3");
  });
});

test.each(["azure-postgresql", "azure-mysql", "sql-managed-instance", "mongocluster"])(
  "the type %s is answered with azure-admin",
  async (type) => {
    const text = target().replace("azure-admin", type);
    const [problem] = await listProblems(text);
    expect(problem).toContain("azure-admin");
  },
);
