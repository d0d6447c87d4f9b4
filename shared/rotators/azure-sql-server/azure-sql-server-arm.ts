import { Agent } from "node:https";
import type { SqlManagementClient, SqlManagementClientOptionalParams } from "@azure/arm-sql";
import type { TokenCredential } from "@azure/identity";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import {
  changeError,
  type Concern,
  entraOnly,
  findStatus,
  isAzuresAnswer,
  readError,
  type Sent,
} from "./azure-sql-server-errors.ts";
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
export function fetchServer({ server, resourceGroup }: AzureSqlServerOptions): string {
  return `Azure SQL server ${server} in resource group ${resourceGroup}`;
}

/** Gives the server's administrator a new password, and waits until Azure says that it has it. */
export async function changeAdministrator(
  access: ResourceManagerAccess,
  options: AzureSqlServerOptions,
  { account, secret }: Credential,
  signal: AbortSignal,
): Promise<void> {
  const concern: Concern = { where: fetchServer(options), account, options };
  const { resourceGroup, server } = options;
  const sent: Sent = { patch: false, status: undefined };
  const azure = await clientFor(access, options, sent, signal);
  requireAdministrator(await askAbout(azure, concern, signal), concern);
  try {
    const change = { administratorLoginPassword: secret.reveal() };
    const poller = await azure.servers.beginUpdate(resourceGroup, server, change, {
      abortSignal: signal,
      ...(access.pollInterval !== undefined && { updateIntervalInMs: access.pollInterval }),
    });
    await poller.pollUntilDone({ abortSignal: signal });
  } catch (error) {
    throw changeError(error, sent, concern);
  }
}

/** What Azure knows about the server. */
export interface FoundServer {
  readonly administratorLogin: string | undefined;
  /** Such as Ready. */
  readonly state: string | undefined;
  readonly isEntraOnly: boolean;
}

/** Changes nothing. `account` is named where a right is missing. */
export async function readServer(
  access: ResourceManagerAccess,
  options: AzureSqlServerOptions,
  account: string,
  signal: AbortSignal,
): Promise<FoundServer> {
  const azure = await clientFor(access, options, { patch: false, status: undefined }, signal);
  return askAbout(azure, { where: fetchServer(options), account, options }, signal);
}

async function clientFor(
  access: ResourceManagerAccess,
  options: AzureSqlServerOptions,
  sent: Sent,
  signal: AbortSignal,
): Promise<SqlManagementClient> {
  const { SqlManagementClient } = await import("@azure/arm-sql");
  if (signal.aborted) {
    throw new TargetUnavailableError(`${fetchServer(options)}: not asked, no time was left`);
  }
  const settings = settingsFor(access, options, sent);
  return new SqlManagementClient(access.credential, options.subscription, settings);
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
function requireAdministrator(
  { isEntraOnly, administratorLogin }: FoundServer,
  { where, account }: Concern,
): void {
  if (isEntraOnly) throw entraOnly(where);
  if (administratorLogin === account) return;
  throw new ConfigError(
    `${where}: its administrator is ${administratorLogin ?? "nobody"}, and not ${account} as the target says`,
  );
}

async function askAbout(
  azure: SqlManagementClient,
  concern: Concern,
  abortSignal: AbortSignal,
): Promise<FoundServer> {
  const { options } = concern;
  const { resourceGroup, server } = options;
  try {
    const found = await azure.servers.get(resourceGroup, server, { abortSignal });
    const isEntraOnly =
      found.administrators?.azureADOnlyAuthentication === true ||
      (await hasEntraOnly(azure, options, abortSignal));
    const { administratorLogin, state } = found;
    return { administratorLogin, state, isEntraOnly };
  } catch (error) {
    throw readError(error, concern);
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
    const status = findStatus(error);
    if (isAzuresAnswer(error) && (status === 403 || status === 404)) return false;
    throw error;
  }
}
