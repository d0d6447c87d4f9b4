import { Agent } from "node:https";
import type { SqlManagementClient, SqlManagementClientOptionalParams } from "@azure/arm-sql";
import type { TokenCredential } from "@azure/identity";
import { ConfigError, TargetUnavailableError } from "../core/errors.ts";
import type { Credential } from "../core/secret.ts";
import { changeError, entraOnly, readError, statusOf } from "./azure-sql-server-errors.ts";
import type { Sent } from "./azure-sql-server-errors.ts";
import type { AzureSqlServerOptions } from "./azure-sql-server-options.ts";

type Policy = NonNullable<
  SqlManagementClientOptionalParams["additionalPolicies"]
>[number]["policy"];

/** How Azure Resource Manager is reached. */
export interface ResourceManagerAccess {
  readonly credential: TokenCredential;
  /** PEM of the authority to trust instead of the well-known ones. */
  readonly ca?: string;
  /** Milliseconds between two looks at an operation, where Azure says nothing about it. */
  readonly pollInterval?: number;
}

/** For messages. */
export function serverOf({ server, resourceGroup }: AzureSqlServerOptions): string {
  return `Azure SQL server ${server} in resource group ${resourceGroup}`;
}

/** Gives the server's administrator a new password, and waits until Azure says that it has it. */
export async function changeAdministrator(
  access: ResourceManagerAccess,
  options: AzureSqlServerOptions,
  { account, secret }: Credential,
  signal: AbortSignal,
): Promise<void> {
  const where = serverOf(options);
  const { resourceGroup, server } = options;
  const sent: Sent = { patch: false, status: undefined };
  const { SqlManagementClient } = await import("@azure/arm-sql");
  if (signal.aborted) throw new TargetUnavailableError(`${where}: not asked, no time was left`);

  const azure = new SqlManagementClient(
    access.credential,
    options.subscription,
    settingsFor(access, options, sent),
  );
  await requireAdministrator(azure, options, account, signal);
  try {
    const change = { administratorLoginPassword: secret.reveal() };
    const poller = await azure.servers.beginUpdate(resourceGroup, server, change, {
      abortSignal: signal,
      ...(access.pollInterval !== undefined && { updateIntervalInMs: access.pollInterval }),
    });
    await poller.pollUntilDone({ abortSignal: signal });
  } catch (error) {
    throw changeError(error, sent, where);
  }
}

function settingsFor(
  { ca }: ResourceManagerAccess,
  { resourceManager }: AzureSqlServerOptions,
  sent: Sent,
): SqlManagementClientOptionalParams {
  // The client's own agents are shared, and keep their connections open.
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: true, ...(ca && { ca }) });
  const watch: Policy = {
    name: "keyturnWatchesTheChange",
    async sendRequest(request, next) {
      request.agent ??= agent;
      if (request.method !== "PATCH") return next(request);
      sent.patch = true;
      const response = await next(request);
      sent.status = response.status;
      return response;
    },
  };
  return {
    endpoint: resourceManager,
    // Its repetition of a change whose reply was lost would be told 409, as if nothing had happened.
    retryOptions: { maxRetries: 0 },
    // One that is followed loses its token but not its body.
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: watch, position: "perRetry" }],
  };
}

/** Throws unless the account is the server's administrator, and logs in with a password. */
async function requireAdministrator(
  azure: SqlManagementClient,
  options: AzureSqlServerOptions,
  account: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const where = serverOf(options);
  const { resourceGroup, server } = options;
  try {
    const found = await azure.servers.get(resourceGroup, server, { abortSignal });
    const isEntraOnly =
      found.administrators?.azureADOnlyAuthentication === true ||
      (await hasEntraOnly(azure, options, abortSignal));
    if (isEntraOnly) throw entraOnly(where);
    if (found.administratorLogin === account) return;
    throw new ConfigError(
      `${where}: its administrator is ${found.administratorLogin ?? "nobody"}, and not ${account} as the target says`,
    );
  } catch (error) {
    throw error instanceof ConfigError ? error : readError(error, where);
  }
}

/** Who may not ask finds out when the change is refused. */
async function hasEntraOnly(
  azure: SqlManagementClient,
  { resourceGroup, server }: AzureSqlServerOptions,
  abortSignal: AbortSignal,
): Promise<boolean> {
  try {
    const asked = azure.serverAzureADOnlyAuthentications;
    const answer = await asked.get(resourceGroup, server, "Default", { abortSignal });
    return answer.azureADOnlyAuthentication === true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 403 || status === 404) return false;
    throw error;
  }
}
