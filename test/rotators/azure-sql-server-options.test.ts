import { describe, expect, it } from "vitest";
import { azureSqlServer } from "../../shared/rotators/azure-sql-server/azure-sql-server.ts";

const rotator = azureSqlServer({ getToken: () => Promise.resolve(null) });

const needed = {
  subscription: "3f0b1c8e-6a1d-4f5e-9a55-0d3c1b2a4e6f",
  resourceGroup: "rg-orders_(prod).1",
  server: "sql-orders",
};

describe("the options of an Azure SQL server", () => {
  it("need only the place of the server in Azure", () => {
    expect(rotator.options.parse(needed)).toEqual({
      ...needed,
      port: 1433,
      database: "master",
      resourceManager: "https://management.azure.com",
      tls: {},
    });
  });

  it.each([
    ["https://management.azure.com", "sql-orders.database.windows.net"],
    ["https://management.usgovcloudapi.net", "sql-orders.database.usgovcloudapi.net"],
    ["https://management.chinacloudapi.cn", "sql-orders.database.chinacloudapi.cn"],
  ])("lead in the cloud of %s to %s", (resourceManager, host) => {
    const options = rotator.options.parse({ ...needed, resourceManager });
    expect(rotator.endpoint(options)).toEqual({
      engine: "sqlserver",
      host,
      port: 1433,
      database: "master",
    });
  });

  it("may name another host, such as a private endpoint", () => {
    const options = rotator.options.parse({ ...needed, host: "sql.internal", port: 11_433 });
    expect(rotator.endpoint(options)).toMatchObject({ host: "sql.internal", port: 11_433 });
  });

  it.each(["https://localhost:8443", "https://127.8.9.10:8443", "https://[::1]:8443"])(
    "may lead to a double on this machine at %s",
    (resourceManager) => {
      expect(rotator.options.parse({ ...needed, resourceManager })).toMatchObject({
        resourceManager,
      });
    },
  );

  it.each([
    ["a subscription that is no id", { subscription: "production" }],
    ["a resource group that would be a path", { resourceGroup: "rg/../other" }],
    ["a resource group that ends in a dot", { resourceGroup: "rg." }],
    ["a server with its domain", { server: "sql-orders.database.windows.net" }],
    ["a server that would be a path", { server: "../sql-orders" }],
    ["a host with a port", { host: "sql.internal:1433" }],
    ["a token for anybody else", { resourceManager: "https://management.example.com" }],
    ["a token in the clear", { resourceManager: "http://management.azure.com" }],
    ["a token for a name that begins alike", { resourceManager: "https://localhost.example.com" }],
    ["a token in the clear on this machine", { resourceManager: "http://localhost:8443" }],
    ["an origin with a path", { resourceManager: "https://localhost:8443/path" }],
    ["a token for what only looks like Azure", { resourceManager: "constructor" }],
    ["TLS that is not verified", { tls: { mode: "disable" } }],
    ["what nobody knows", { trustServerCertificate: true }],
  ])("refuse %s", (_, changed) => {
    expect(rotator.options.safeParse({ ...needed, ...changed }).success).toBe(false);
  });
});
