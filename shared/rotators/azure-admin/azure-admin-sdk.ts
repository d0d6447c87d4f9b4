import type { SqlManagementClient } from "@azure/arm-sql";
import type { AzureAccess } from "../../azure/azure-call.ts";
import type { Ending } from "../../azure/azure-operation.ts";
import { makeSafePolicy, type Sending } from "../../azure/azure-policy.ts";
import { readFailure, readReply, type Reply } from "../../azure/azure-reply.ts";
import { isObject } from "../../core/json.ts";
import type { AdminCalls } from "./azure-admin-calls.ts";
import type { AdminTarget } from "./azure-admin-target.ts";

/** The calls for a logical server of Azure SQL through the official client. */
export function makeSdkCalls(access: AzureAccess, target: AdminTarget): AdminCalls {
  const { resourceGroup, name } = target;
  const read = (get: (azure: SqlManagementClient) => Promise<object>) =>
    withClient(access, target, async (azure): Promise<Reply> => {
      const properties = await get(azure);
      return { by: "azure", status: 200, codes: [], body: { properties }, headers: {} };
    });
  return {
    read: async (abortSignal) => {
      const { result } = await read(({ servers }) =>
        servers.get(resourceGroup, name, { abortSignal }),
      );
      return result;
    },

    readSwitch: async (abortSignal) => {
      const { result } = await read(({ serverAzureADOnlyAuthentications: switches }) =>
        switches.get(resourceGroup, name, "Default", { abortSignal }),
      );
      return result;
    },

    async change(body, abortSignal) {
      const { pollInterval: updateIntervalInMs } = access;
      const interval = updateIntervalInMs === undefined ? {} : { updateIntervalInMs };
      const { result, error, sending } = await withClient(access, target, async (azure) => {
        const { properties } = body as { readonly properties: object };
        const how = { abortSignal, ...interval };
        const poller = await azure.servers.beginUpdate(resourceGroup, name, properties, how);
        await poller.pollUntilDone({ abortSignal });
        return { is: "done" } as const;
      });
      if (!("by" in result)) return { is: "done", reply: accepted };
      return toEnding(result, error, sending);
    },
  };
}

const accepted: Reply = { by: "azure", status: 200, codes: [], body: undefined, headers: {} };

/** Runs the work with a new client. A failure becomes a reply; its text and `request` contain the secret and the token. */
async function withClient<Result>(
  access: AzureAccess,
  { subscription }: AdminTarget,
  work: (azure: SqlManagementClient) => Promise<Result>,
): Promise<{ result: Result | Reply; error?: unknown; sending: Sending }> {
  const { SqlManagementClient } = await import("@azure/arm-sql");
  const sending: Sending = { started: false, status: undefined };
  const azure = new SqlManagementClient(access.credential, subscription, {
    endpoint: access.origin,
    // If the client repeated a change whose reply was lost, it would get 409, as if Azure had not accepted the change.
    retryOptions: { maxRetries: 0 },
    // The client would follow a redirect without the token, but with the body.
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: makeSafePolicy(access, sending), position: "perRetry" }],
  });
  try {
    return { result: await work(azure), sending };
  } catch (error) {
    return { result: toReply(error, sending), error, sending };
  }
}

/** The check is by name, because the client has error classes of its own. */
function toReply(error: unknown, sending: Sending): Reply {
  if (!(error instanceof Error)) return readFailure(error, sending.started);
  if (/^(?:Credential|.*Authentication)/.test(error.name)) {
    return { by: "nobody", why: "no-token", sent: false };
  }
  const response: unknown = Reflect.get(error, "response");
  if (!isObject(response)) return readFailure(error, sending.started);
  const { status, headers, bodyAsText } = response as {
    readonly status: number;
    readonly headers: { get(name: string): string | undefined };
    readonly bodyAsText?: string | null;
  };
  return readReply(status, headers, bodyAsText ?? "", Date.now());
}

/** The client gives the code of a failed operation only inside a sentence. */
const operationFailed = /^The long-running operation has failed\. (\w+)\./;

function toEnding(reply: Reply, error: unknown, { status }: Sending): Ending {
  if (status === undefined || status >= 300) return { is: "not-accepted", reply };
  const [, code] = operationFailed.exec(error instanceof Error ? error.message : "") ?? [];
  return code === undefined ? { is: "unknown" } : { is: "failed", codes: [code] };
}
