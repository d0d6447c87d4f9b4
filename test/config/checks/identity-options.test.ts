import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../shared/config/load.ts";
import { makeRotators } from "../../../shared/rotators/registry.ts";
import { makeFolder } from "../written.ts";

const rotators = makeRotators({ getToken: () => Promise.reject(new Error("not requested")) });

async function load(options: string, admin: string) {
  const text = `
version: 1
vaults: { main: { url: https://kv-orders.vault.azure.net } }
policies: { default: { every: 90d, afterExposure: 4h } }
targets:
  orders-db: { type: postgresql, options: ${options}, accounts: [orders], admin: ${admin}, publish: orders-db }
`;
  const folder = await makeFolder({ "keyturn.yaml": text });
  return loadConfig(join(folder, "keyturn.yaml"), { rotators });
}

const host = "host: db.postgres.database.azure.com";

test("The app's identity needs the name of its account, TLS, and a host of Azure", async () => {
  const at = "targets.orders-db.options";
  await expect(load(`{ ${host} }`, "managed-identity")).rejects.toThrow(
    `${at}.identityAccount: is required with admin: managed-identity`,
  );
  await expect(
    load("{ host: db.example.com, identityAccount: app }", "managed-identity"),
  ).rejects.toThrow(
    `${at}.host: with admin: managed-identity must be in postgres.database.azure.com,`,
  );
  await expect(
    load(`{ ${host}, identityAccount: app, tls: { mode: disable } }`, "managed-identity"),
  ).rejects.toThrow(`${at}.tls.mode: must not be disable with admin: managed-identity`);
  await expect(load("{ host: db, identityAccount: app }", "self")).rejects.toThrow(
    `${at}.identityAccount: has no effect without admin: managed-identity; remove it`,
  );
  const { targets } = await load(`{ ${host}, identityAccount: app }`, "managed-identity");
  expect(targets[0]?.authority).toEqual({ as: "identity" });
});
