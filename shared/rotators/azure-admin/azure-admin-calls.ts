import { type AzureAccess, callAzure } from "../../azure/azure-call.ts";
import { changeAtAzure, type Ending } from "../../azure/azure-operation.ts";
import type { Reply } from "../../azure/azure-reply.ts";
import { type AdminTarget, toServerId } from "./azure-admin-target.ts";

/** The calls to Azure that concern one server. They return what is known after them, and do not throw for it. */
export interface AdminCalls {
  /** The server. */
  read(signal: AbortSignal): Promise<Reply>;
  /** The resource of `AdminService.entraSwitch`. */
  readSwitch(path: string, signal: AbortSignal): Promise<Reply>;
  /** Sends the change at most once, and waits for its operation. */
  change(body: object, signal: AbortSignal): Promise<Ending>;
}

/** The calls through the common client. */
export function makeCalls(access: AzureAccess, target: AdminTarget): AdminCalls {
  const toPath = (below = "") =>
    `${toServerId(target)}${below}?api-version=${target.service.apiVersion}`;
  return {
    read: (signal) => callAzure(access, { method: "GET", path: toPath() }, signal),
    readSwitch: (path, signal) =>
      callAzure(access, { method: "GET", path: toPath(`/${path}`) }, signal),
    change: (body, signal) =>
      changeAtAzure(access, { method: "PATCH", path: toPath(), body }, signal),
  };
}
