import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import type { Endpoint } from "../../../shared/core/target.ts";
import {
  azureAdmin,
  type AzureAdminOptions,
} from "../../../shared/rotators/azure-admin/azure-admin.ts";
import type { AdminServiceName } from "../../../shared/rotators/azure-admin/azure-admin-services.ts";
import type { SettingRotator } from "../../../shared/rotators/rotator.ts";
import {
  type ArmDouble,
  type ArmDoubleOptions,
  type ArmRole,
  startArmDouble,
} from "../../doubles/arm/server.ts";
import { startMongoDouble } from "../../doubles/mongodb/server.ts";
import { startTdsDouble } from "../../doubles/tds/server.ts";
import { logsInToSqlServer } from "./azure-sql-server-bench.ts";

export const administrator = "ktadmin";
export const firstSecret = "F1rst~secret-of-the-administrator";

/** The server whose administrator is changed, and the plain client that checks the result. */
export interface DataPlane {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  readonly endpoint: Endpoint;
  /** Creates the administrator, or sets its secret. */
  readonly setPassword: (account: string, secret: string) => Promise<void>;
  readonly logsIn: (account: string, secret: string) => Promise<boolean>;
  /** What is stored about the administrator, whose last secret this is, without a log-in. */
  readonly snapshot: (last: string) => Promise<unknown>;
  /** Log-ins that the server has checked. */
  readonly logIns: () => Promise<number>;
  /** Connections of the rotator. */
  readonly openConnections: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** An emulated Azure Resource Manager with the server in it, and the rotator aimed at both. */
export interface AdminBench {
  readonly arm: ArmDouble;
  readonly plane: DataPlane;
  rotator(role?: ArmRole): SettingRotator<AzureAdminOptions>;
  optionsWith(changed?: object): AzureAdminOptions;
  readonly openConnections: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function startAdminBench(
  service: AdminServiceName,
  plane: DataPlane,
  armOptions: Omit<ArmDoubleOptions, "resources"> = {},
): Promise<AdminBench> {
  const common = { service, resourceGroup: "rg-orders", administratorLogin: administrator };
  const arm = await startArmDouble({
    resources: [
      { ...common, name: "orders", setPassword: plane.setPassword },
      { ...common, name: "orders-entra", entraOnly: true },
      { ...common, name: "orders-moving", state: "Updating" },
      { ...common, name: "orders-replica", replicationRole: "AsyncReplica" },
    ],
    ...armOptions,
  });
  const rotator = (role?: ArmRole) =>
    azureAdmin(arm.credential(role), { ca: arm.ca, pollInterval: 1 });
  return {
    arm,
    plane,
    rotator,
    optionsWith: (changed = {}) =>
      rotator().options.parse({
        service,
        subscription: arm.subscriptionId,
        resourceGroup: "rg-orders",
        name: "orders",
        host: plane.host,
        port: plane.port,
        resourceManager: arm.endpoint,
        tls: { caFile: plane.caFile },
        ...changed,
      }),
    openConnections: async () => arm.inspection.connections.open + (await plane.openConnections()),
    async close() {
      await arm.close();
      await plane.stop();
    },
  };
}

async function writeAuthority(ca: string) {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-azure-admin-"));
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, ca);
  return { caFile, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** A double of SQL Server, for logical servers and managed instances. */
export async function startSqlPlane(): Promise<DataPlane> {
  const logins = [{ account: administrator, password: firstSecret }];
  const tds = await startTdsDouble({ logins, encryption: "required", hostile: true });
  const authority = await writeAuthority(tds.ca);
  const place = { host: "localhost", port: tds.port };
  return {
    ...place,
    caFile: authority.caFile,
    endpoint: { engine: "sqlserver", ...place, database: "master" },
    setPassword: (account, secret) => {
      tds.setPassword(account, secret);
      return Promise.resolve();
    },
    logsIn: (account, secret) => logsInToSqlServer(tds, account, secret),
    snapshot: (last) => Promise.resolve(tds.inspection.accepts(administrator, last)),
    logIns: () => Promise.resolve(tds.inspection.logins.length),
    openConnections: () => Promise.resolve(tds.inspection.connections.open),
    async stop() {
      await tds.close();
      await authority.remove();
    },
  };
}

/** A double of MongoDB that answers as Azure DocumentDB does. */
export async function startDocumentDbPlane(): Promise<DataPlane> {
  const [root, rootSecret] = ["root", "R00t~of-the-cluster"];
  const double = await startMongoDouble({
    iterations: 4096,
    hostile: true,
    tls: true,
    isDocumentDb: true,
    users: [
      {
        user: root,
        password: rootSecret,
        roles: [{ role: "userAdminAnyDatabase", db: "admin" }],
      },
      { user: administrator, password: firstSecret },
    ],
  });
  const authority = await writeAuthority(double.ca ?? "");
  const clientFor = (username: string, password: string) =>
    new MongoClient(double.url, {
      auth: { username, password },
      authSource: "admin",
      authMechanism: "SCRAM-SHA-256",
      directConnection: true,
      tls: true,
      ca: double.ca,
    });
  const place = { host: double.host, port: double.port };
  return {
    ...place,
    caFile: authority.caFile,
    endpoint: {
      engine: "mongodb",
      ...place,
      database: "test",
      more: { authSource: "admin", tls: "true" },
    },
    async setPassword(updateUser, pwd) {
      const client = clientFor(root, rootSecret);
      await client.db("admin").command({ updateUser, pwd });
      await client.close();
    },
    async logsIn(account, secret) {
      const client = clientFor(account, secret);
      try {
        await client.connect();
        return true;
      } catch (error) {
        if (error instanceof Error && Reflect.get(error, "code") === 13) return false;
        throw error;
      } finally {
        await client.close();
      }
    },
    snapshot: (last) => double.inspection.accepts(administrator, last),
    logIns: () => Promise.resolve(double.inspection.logins.length),
    openConnections: () => Promise.resolve(double.inspection.connections.open),
    async stop() {
      await double.close();
      await authority.remove();
    },
  };
}
