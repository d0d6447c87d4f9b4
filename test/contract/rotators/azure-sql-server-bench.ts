import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "tedious";
import { azureSqlServer } from "../../../shared/rotators/azure-sql-server/azure-sql-server.ts";
import {
  type ArmDouble,
  type ArmDoubleOptions,
  type ArmRole,
  startArmDouble,
} from "../../doubles/arm/server.ts";
import { startTdsDouble, type TdsDouble, type TdsDoubleOptions } from "../../doubles/tds/server.ts";

export const administrator = "ktadmin";
export const firstSecret = "F1rst~secret-of-ktadmin";

/** An emulated Azure Resource Manager and its SQL server, and the rotator aimed at both. */
export interface AzureSqlBench {
  readonly arm: ArmDouble;
  readonly tds: TdsDouble;
  rotator(role?: ArmRole): ReturnType<typeof azureSqlServer>;
  optionsWith(changed?: object): ReturnType<ReturnType<typeof azureSqlServer>["options"]["parse"]>;
  logsIn(account: string, password: string): Promise<boolean>;
  openConnections(): number;
  close(): Promise<void>;
}

export async function startAzureSqlBench(
  armOptions: Omit<ArmDoubleOptions, "resources"> = {},
  tdsOptions: TdsDoubleOptions = {},
): Promise<AzureSqlBench> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-azure-sql-"));
  const logins = [{ account: administrator, password: firstSecret }];
  const tds = await startTdsDouble({ logins, encryption: "required", ...tdsOptions });
  const common = { resourceGroup: "rg-orders", administratorLogin: administrator };
  const setPassword = (login: string, password: string) => {
    tds.setPassword(login, password);
  };
  const arm = await startArmDouble({
    resources: [
      { ...common, name: "sql-orders", setPassword },
      { ...common, name: "sql-entra", entraOnly: true },
      { ...common, name: "sql-moving", state: "Updating" },
    ],
    ...armOptions,
  });
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, tds.ca);
  const rotator = (role?: ArmRole) =>
    azureSqlServer(arm.credential(role), { ca: arm.ca, pollInterval: 1 });

  return {
    arm,
    tds,
    rotator,
    optionsWith: (changed = {}) =>
      rotator().options.parse({
        subscription: arm.subscriptionId,
        resourceGroup: "rg-orders",
        server: "sql-orders",
        host: "localhost",
        port: tds.port,
        resourceManager: arm.endpoint,
        tls: { caFile },
        ...changed,
      }),
    logsIn: (account, password) => logsInToSqlServer(tds, account, password),
    openConnections: () => tds.inspection.connections.open + arm.inspection.connections.open,
    async close() {
      await arm.close();
      await tds.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Logs in with the plain client, as most consumers do. */
export async function logsInToSqlServer(
  tds: TdsDouble,
  userName: string,
  password: string,
): Promise<boolean> {
  const connection = new Connection({
    server: "localhost",
    authentication: { type: "default", options: { userName, password } },
    options: {
      port: tds.port,
      encrypt: true,
      cryptoCredentialsDetails: { ca: tds.ca },
      maxRetriesOnTransientErrors: 0,
    },
  });
  const numbers: number[] = [];
  connection.on("errorMessage", ({ number }) => numbers.push(number));
  connection.on("error", () => undefined);
  const error = await new Promise<Error | undefined>((resolve) => {
    connection.connect(resolve);
  });
  connection.close();
  if (error !== undefined && numbers[0] !== 18_456) throw error;
  return error === undefined;
}
