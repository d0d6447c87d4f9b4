import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { parseJson } from "../../core/json.ts";
import { withDeadline } from "../../http/deadline.ts";
import type { ResourceManagerAccess } from "./azure-sql-server-arm.ts";
import { type AzureSqlServerOptions, toServerId } from "./azure-sql-server-options.ts";

/** Each entry grants the actions that match `actions` but not `notActions`. One matching entry is enough. */
const permissionsReply = z.object({
  value: z.array(z.object({ actions: z.array(z.string()), notActions: z.array(z.string()) })),
  nextLink: z.string().nullish(),
});

/** Whether the Azure identity of the app may do this to the server. Undefined if Azure does not say. */
export async function isPermitted(
  access: ResourceManagerAccess,
  options: AzureSqlServerOptions,
  action: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const path = `${toServerId(options)}/providers/Microsoft.Authorization/permissions`;
  const url = new URL(`${path}?api-version=2022-04-01`, options.resourceManager);
  const answer = await withDeadline(signal, async (either) => {
    const scope = `${options.resourceManager}/.default`;
    const granted = await access.credential.getToken(scope, { abortSignal: either });
    return granted && get(url, granted.token, access.ca, either);
  }).catch(() => undefined);
  const found = permissionsReply.safeParse(parseJson(answer ?? "")).data;
  if (found === undefined) return undefined;
  const isGranted = found.value.some(
    ({ actions, notActions }) =>
      actions.some(matching(action)) && !notActions.some(matching(action)),
  );
  return isGranted || !found.nextLink ? isGranted : undefined;
}

/** Body of the answer; rejects when it is not 200, and the error contains nothing of it. */
function get(
  url: URL,
  token: string,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: true, ...(ca && { ca }) });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const asked = request(url, { agent, headers, signal }, (response) => {
    if (response.statusCode === 200) text(response).then(resolve, reject);
    else {
      response.resume();
      reject(new Error("no answer"));
    }
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

/** Azure compares without regard to case, and `*` stands for anything. */
function matching(action: string): (pattern: string) => boolean {
  return (pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "i").test(action);
  };
}
