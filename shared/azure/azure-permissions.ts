import { z } from "zod";
import { type AzureAccess, callAzure } from "./azure-call.ts";
import { isAccepted } from "./azure-reply.ts";

/** Each entry grants the actions that match `actions` but not `notActions`. One matching entry is enough. */
const permissions = z.object({
  value: z.array(z.object({ actions: z.array(z.string()), notActions: z.array(z.string()) })),
  nextLink: z.string().nullish(),
});

/**
 * Whether the Azure identity of the app may do this to the resource, such as `Microsoft.Sql/servers/write`. `resourceId` is its id in
 * Azure Resource Manager, from `/subscriptions/` on. Undefined if Azure does not say; it never throws.
 */
export async function isPermitted(
  access: AzureAccess,
  resourceId: string,
  action: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const path = `${resourceId}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  const reply = await callAzure(access, { method: "GET", path }, signal);
  const body = reply.by === "azure" && isAccepted(reply) ? reply.body : undefined;
  const found = permissions.safeParse(body).data;
  if (found === undefined) return undefined;
  const isGranted = found.value.some(
    ({ actions, notActions }) =>
      actions.some(matching(action)) && !notActions.some(matching(action)),
  );
  return isGranted || !found.nextLink ? isGranted : undefined;
}

/** Azure compares without regard to case, and `*` stands for anything. */
function matching(action: string): (pattern: string) => boolean {
  return (pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "i").test(action);
  };
}
