import { Agent } from "node:https";
import type { SqlManagementClient, SqlManagementClientOptionalParams } from "@azure/arm-sql";
import type { TokenCredential } from "@azure/identity";
import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import {
  type Concern,
  entraOnly,
  findStatus,
  isAzuresAnswer,
  readError,
  type Sent,
  toChangeError,
} from "./azure-sql-server-errors.ts";
import type { AzureSqlServerOptions } from "./azure-sql-server-options.ts";

type Policy = NonNullable<
  SqlManagementClientOptionalParams["additionalPolicies"]
>[number]["policy"];

/** The connection to Azure Resource Manager. */
export interface ResourceManagerAccess {
  readonly credential: TokenCredential;
  /** The PEM of an authority to trust instead of the well-known ones. */
  readonly ca?: string;
  /** Milliseconds between two polls of an operation, if Azure gives no interval. */
  readonly pollInterval?: number;
}

/** Describes the server in messages. */
export function fetchServer({ server, resourceGroup }: AzureSqlServerOptions): string {
  return `Azure SQL server ${server} in resource group ${resourceGroup}`;
}

/** Sets a new password for the administrator of the server, and waits until Azure confirms it. */
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
    throw toChangeError(error, sent, concern);
  }
}

/** The properties of the server in Azure. */
export interface FoundServer {
  readonly administratorLogin: string | undefined;
  /** The state of the server, such as Ready. */
  readonly state: string | undefined;
  readonly isEntraOnly: boolean;
}

/** Reads the server and changes nothing. An error about a missing right names `account`. */
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
    throw new TargetUnavailableError(
      `${fetchServer(options)}: not contacted, because the time limit had passed`,
    );
  }
  const settings = settingsFor(access, options, sent);
  return new SqlManagementClient(access.credential, options.subscription, settings);
}

function settingsFor(
  { ca }: ResourceManagerAccess,
  { resourceManager }: AzureSqlServerOptions,
  sent: Sent,
): SqlManagementClientOptionalParams {
  // The agents of the client are shared, and keep their connections open.
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
    // If the client repeated a change whose reply was lost, it would get 409, as if Azure had not accepted the change.
    retryOptions: { maxRetries: 0 },
    // The client would follow a redirect without the token, but with the body.
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: watch, position: "perRetry" }],
  };
}

/** Throws unless the account is the administrator of the server and logs in with a password. */
function requireAdministrator(
  { isEntraOnly, administratorLogin }: FoundServer,
  { where, account }: Concern,
): void {
  if (isEntraOnly) throw entraOnly(where);
  if (administratorLogin === account) return;
  throw new ConfigError(
    `${where}: the administrator of the server is ${administratorLogin ?? "not set"}, but the target names ${account}. Correct the account of the target`,
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

/** An identity without the right to read finds out when Azure refuses the change. */
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
