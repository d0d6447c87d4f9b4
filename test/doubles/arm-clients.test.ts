import { MongoClusterManagementClient } from "@azure/arm-mongocluster";
import { MySQLManagementFlexibleServerClient } from "@azure/arm-mysql-flexible";
import { PostgreSQLManagementFlexibleServerClient } from "@azure/arm-postgresql-flexible";
import { SqlManagementClient } from "@azure/arm-sql";
import { afterEach, expect, test } from "vitest";
import { appIdentity } from "../../conformance/identity.ts";
import { services } from "../../local/azure/arm/services.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { azureAdmin } from "../../shared/rotators/azure-admin/azure-admin.ts";
import {
  type AdminServiceName,
  adminServices,
} from "../../shared/rotators/azure-admin/azure-admin-services.ts";
import { type ArmDouble, startArmDouble } from "./arm/server.ts";

/**
 * The official clients contain the published shapes. They make the same change as Keyturn on the double: they understand its answers, and
 * their requests are compared with those of Keyturn.
 */

const group = "rg-orders";
const name = "orders";
const password = "S3cond~secret-of-it";

let arm: ArmDouble | undefined;
afterEach(() => arm?.close());

interface Official {
  /** What the client has read about the administrator and the state. */
  read(): Promise<readonly unknown[]>;
  /** Whether it says that the server accepts Entra log-ins only. */
  isEntraOnly(): Promise<boolean>;
  change(): Promise<unknown>;
}

const officials: Readonly<Record<AdminServiceName, (double: ArmDouble) => Official>> = {
  "sql-server": (double) => {
    const azure = new SqlManagementClient(...settings(double));
    const change = { administratorLoginPassword: password };
    return {
      async read() {
        const { administratorLogin, state } = await azure.servers.get(group, name);
        return [administratorLogin, state];
      },
      async isEntraOnly() {
        const modes = azure.serverAzureADOnlyAuthentications;
        const { azureADOnlyAuthentication } = await modes.get(group, "entra", "Default");
        return azureADOnlyAuthentication === true;
      },
      change: () => azure.servers.beginUpdateAndWait(group, name, change, often),
    };
  },
  "sql-managed-instance": (double) => {
    const azure = new SqlManagementClient(...settings(double));
    const change = { administratorLoginPassword: password };
    return {
      async read() {
        const { administratorLogin, state } = await azure.managedInstances.get(group, name);
        return [administratorLogin, state];
      },
      async isEntraOnly() {
        const modes = azure.managedInstanceAzureADOnlyAuthentications;
        const { azureADOnlyAuthentication } = await modes.get(group, "entra", "Default");
        return azureADOnlyAuthentication === true;
      },
      change: () => azure.managedInstances.beginUpdateAndWait(group, name, change, often),
    };
  },
  postgresql: (double) => {
    const azure = new PostgreSQLManagementFlexibleServerClient(...settings(double));
    const change = { administratorLoginPassword: password };
    return {
      async read() {
        const { administratorLogin, state } = await azure.servers.get(group, name);
        return [administratorLogin, state];
      },
      async isEntraOnly() {
        const { authConfig } = await azure.servers.get(group, "entra");
        return authConfig?.passwordAuth === "Disabled";
      },
      change: () => azure.servers.beginUpdateAndWait(group, name, change, often),
    };
  },
  mysql: (double) => {
    const azure = new MySQLManagementFlexibleServerClient(...settings(double));
    const change = { administratorLoginPassword: password };
    return {
      async read() {
        const { administratorLogin, state } = await azure.servers.get(group, name);
        return [administratorLogin, state];
      },
      async isEntraOnly() {
        const { value } = await azure.configurations.get(group, "entra", "aad_auth_only");
        return value === "ON";
      },
      change: () => azure.servers.beginUpdateAndWait(group, name, change, often),
    };
  },
  documentdb: (double) => {
    const azure = new MongoClusterManagementClient(...settings(double));
    const administrator = { userName: "ktadmin", password };
    return {
      async read() {
        const { properties } = await azure.mongoClusters.get(group, name);
        return [properties?.administrator?.userName, properties?.clusterStatus];
      },
      async isEntraOnly() {
        const { properties } = await azure.mongoClusters.get(group, "entra");
        return properties?.authConfig?.allowedModes?.includes("NativeAuth") === false;
      },
      change: () =>
        azure.mongoClusters
          .update(group, name, { properties: { administrator } }, often)
          .pollUntilDone(),
    };
  },
};

const often = { updateIntervalInMs: 1 };

function settings(double: ArmDouble) {
  const options = { endpoint: double.endpoint, tlsOptions: { ca: double.ca } };
  return [double.credential(), double.subscriptionId, options] as const;
}

async function start(service: AdminServiceName): Promise<ArmDouble> {
  const common = { service, resourceGroup: group, administratorLogin: "ktadmin" };
  arm = await startArmDouble({
    resources: [
      { ...common, name },
      { ...common, name: "entra", entraOnly: true },
    ],
  });
  return arm;
}

/** The one request that changed something. */
function findChange({ inspection }: ArmDouble) {
  const changes = inspection.requests.filter(({ method }) => method !== "GET");
  expect(changes).toHaveLength(1);
  return changes[0];
}

const names = Object.keys(adminServices) as AdminServiceName[];

test.each(names)("the official client understands the answers about %s", async (service) => {
  const double = await start(service);
  const official = officials[service](double);
  expect(await official.read()).toEqual(["ktadmin", "Ready"]);
  expect(await official.isEntraOnly()).toBe(true);
  await official.change();
  expect(double.inspection.landed(name)).toBe(1);
});

test.each(names)("Keyturn changes %s with the request of the official client", async (service) => {
  const theirs = await start(service);
  await officials[service](theirs).change();
  const expected = findChange(theirs);
  await theirs.close();
  const ours = await start(service);
  const rotator = azureAdmin(ours.credential(), { ca: ours.ca, pollInterval: 1 });
  const options = rotator.options.parse({
    service,
    subscription: ours.subscriptionId,
    resourceGroup: group,
    name,
    host: "localhost",
    resourceManager: ours.endpoint,
  });
  const next = { account: "ktadmin", secret: new Secret(password) };
  await rotator.apply({ options, next, using: appIdentity }, AbortSignal.timeout(20_000));
  expect(findChange(ours)).toEqual(expected);
});

test.each(names)("Keyturn and the double know the API version of %s", (service) => {
  const { type, apiVersion } = adminServices[service];
  expect(services[service]).toMatchObject({ type, apiVersion });
});
