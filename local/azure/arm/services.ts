import { type AdminRow, adminService } from "./administrators.ts";
import { keyServices } from "./key-services.ts";
import type { ArmService } from "./state.ts";

/** What PostgreSQL and MySQL servers have in common. */
const flexible = {
  operations: { status: "azureAsyncOperation", result: "operationResults" },
  passwordAt: ["administratorLoginPassword"],
  minPassword: 8,
} as const satisfies Partial<AdminRow>;

const entraSwitch = {
  path: "/azureADOnlyAuthentications/Default",
  apiVersion: "2020-11-01-preview",
  describe: ({ entraOnly = false }) => ({ azureADOnlyAuthentication: entraOnly }),
} as const satisfies AdminRow["entraSwitch"];

const describeSql: AdminRow["describe"] = ({ administratorLogin, state, entraOnly }) => ({
  administratorLogin,
  state: state ?? "Ready",
  publicNetworkAccess: "Enabled",
  ...(entraOnly === true && { administrators: { azureADOnlyAuthentication: true } }),
});

/** The services by the name in `ArmResource.service`. The shapes are those of the mappers of the ARM packages on npm. */
export const services = {
  ...keyServices,
  "sql-server": adminService({
    type: "Microsoft.Sql/servers",
    apiVersion: "2022-08-01-preview",
    operations: { status: "serverAzureAsyncOperation", result: "serverOperationResults" },
    passwordAt: ["administratorLoginPassword"],
    minPassword: 8,
    entraSwitch,
    describe: (server) => ({
      version: "12.0",
      fullyQualifiedDomainName: `${server.name}.database.windows.net`,
      ...describeSql(server),
    }),
  }),
  "sql-managed-instance": adminService({
    type: "Microsoft.Sql/managedInstances",
    apiVersion: "2022-08-01-preview",
    operations: {
      status: "managedInstanceAzureAsyncOperation",
      result: "managedInstanceOperationResults",
    },
    passwordAt: ["administratorLoginPassword"],
    minPassword: 16,
    entraSwitch,
    describe: (instance) => ({
      provisioningState: "Succeeded",
      dnsZone: "0a1b2c3d4e5f",
      fullyQualifiedDomainName: `${instance.name}.0a1b2c3d4e5f.database.windows.net`,
      ...describeSql(instance),
    }),
  }),
  postgresql: adminService({
    ...flexible,
    type: "Microsoft.DBforPostgreSQL/flexibleServers",
    apiVersion: "2025-08-01",
    describe: ({ name, administratorLogin, state, entraOnly, replicationRole }) => ({
      administratorLogin,
      version: "17",
      state: state ?? "Ready",
      fullyQualifiedDomainName: `${name}.postgres.database.azure.com`,
      authConfig: {
        activeDirectoryAuth: "Enabled",
        passwordAuth: entraOnly === true ? "Disabled" : "Enabled",
      },
      replicationRole: replicationRole ?? "Primary",
    }),
  }),
  mysql: adminService({
    ...flexible,
    type: "Microsoft.DBforMySQL/flexibleServers",
    apiVersion: "2021-05-01",
    entraSwitch: {
      path: "/configurations/aad_auth_only",
      describe: ({ entraOnly = false }) => ({
        value: entraOnly ? "ON" : "OFF",
        dataType: "Enumeration",
        allowedValues: "ON,OFF",
        source: "system-default",
      }),
    },
    describe: ({ name, administratorLogin, state, replicationRole }) => ({
      administratorLogin,
      version: "8.0.21",
      state: state ?? "Ready",
      fullyQualifiedDomainName: `${name}.mysql.database.azure.com`,
      replicationRole: replicationRole ?? "None",
    }),
  }),
  documentdb: adminService({
    type: "Microsoft.DocumentDB/mongoClusters",
    apiVersion: "2025-09-01",
    operations: { status: "azureAsyncOperation", result: "operationResults" },
    passwordAt: ["administrator", "password"],
    nameAt: ["administrator", "userName"],
    minPassword: 8,
    describe: ({ administratorLogin, state, entraOnly, replicationRole }) => ({
      provisioningState: "Succeeded",
      clusterStatus: state ?? "Ready",
      administrator: { userName: administratorLogin },
      authConfig: { allowedModes: [entraOnly === true ? "MicrosoftEntraID" : "NativeAuth"] },
      replica: { role: replicationRole ?? "Primary" },
      publicNetworkAccess: "Enabled",
    }),
  }),
} satisfies Readonly<Record<string, ArmService>>;
