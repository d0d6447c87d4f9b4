import { type AzureAccess, callAzure } from "../../azure/azure-call.ts";
import { changeAtAzure, type Ending } from "../../azure/azure-operation.ts";
import type { Reply } from "../../azure/azure-reply.ts";
import { type AdminTarget, toServerId } from "./azure-admin-target.ts";

/** The calls to Azure that concern one server. They return what is known after them, and do not throw for it. */
export interface AdminCalls {
  /** The server. */
  read(signal: AbortSignal): Promise<Reply>;
  /** The resource of `AdminService.entraSwitch`, if there is one. */
  readSwitch(signal: AbortSignal): Promise<Reply>;
  /** Sends the change at most once, and waits for its operation. */
  change(body: object, signal: AbortSignal): Promise<Ending>;
}

/** The calls through the common client. */
export function makeCalls(access: AzureAccess, target: AdminTarget): AdminCalls {
  const { apiVersion, entraSwitch } = target.service;
  const toPath = (below = "", version = apiVersion) =>
    `${toServerId(target)}${below}?api-version=${version}`;
  const get = (path: string, signal: AbortSignal) =>
    callAzure(access, { method: "GET", path }, signal);
  return {
    read: (signal) => get(toPath(), signal),
    readSwitch: (signal) => get(toPath(`/${entraSwitch?.path}`, entraSwitch?.apiVersion), signal),
    change: (body, signal) =>
      changeAtAzure(access, { method: "PATCH", path: toPath(), body }, signal),
  };
}
