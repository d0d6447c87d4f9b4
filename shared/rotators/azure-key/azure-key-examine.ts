import { isPermitted } from "../../azure/azure-permissions.ts";
import { ChangeRefusedError, ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import type { Examination } from "../rotator.ts";
import { type KeyConcern, type ReadProperties, readResource } from "./azure-key-calls.ts";
import { explainMissingRight, explainOff } from "./azure-key-errors.ts";
import { findUnready, type KeyProperties } from "./azure-key-properties.ts";
import { describeTarget, type KeyTarget, toActions } from "./azure-key-target.ts";
import { findAddress } from "./azure-key-verify.ts";

/** Queries Azure about the resource and about the rights of the app's identity. It does not list the keys. */
export async function examineKey(
  concern: KeyConcern,
  signal: AbortSignal,
  read: ReadProperties = readResource,
): Promise<Examination> {
  const { target, account } = concern;
  const found = await read(concern, signal).catch((error: unknown) => {
    // An identity without the right to read the resource does not lack an answer, but a right.
    if (error instanceof ChangeRefusedError) return error;
    throw error;
  });
  if (found instanceof ChangeRefusedError) return withoutRight(found.message);
  requireUsable(target, found);
  if (target.service.isOff(found)) {
    const why = explainOff(account, target);
    return { ...withoutRight(why), obstacles: [why] };
  }
  return { obstacles: [], ...(await examineRights(concern, signal)) };
}

/** Throws if the resource is not ready, if its keys cannot be rotated, or if the options name another host. */
function requireUsable(target: KeyTarget, properties: KeyProperties): void {
  const state = findUnready(properties);
  if (state !== undefined) {
    throw new TargetUnavailableError(
      `${describeTarget(target)}: the resource is not ready; its state is ${state}`,
    );
  }
  const unfit = target.service.findUnfit?.(properties);
  if (unfit !== undefined) throw new ConfigError(`${describeTarget(target)} ${unfit}`);
  const hosts = listHosts(target, properties);
  const isOne = hosts.includes(target.host.toLowerCase().replace(/\.$/, ""));
  // Not a host of this service, but of one of its parts: consumers of queues have another one than those of blobs.
  if (isOne || target.service.system === "storage") return;
  throw new ConfigError(
    `${describeTarget(target)}: consumers would read the host ${target.host}, but the resource has ${hosts.join(", ")}. Correct options.host`,
  );
}

/** The hosts at which the resource accepts its keys, according to Azure. */
function listHosts(target: KeyTarget, properties: KeyProperties): readonly string[] {
  const more = Object.values(properties.endpoints ?? {});
  const urls = [findAddress(target, properties), ...more.map((text = "") => URL.parse(text))];
  return [...new Set(urls.flatMap((url) => (url === null ? [] : [url.hostname])))];
}

async function examineRights(
  { access, target, account }: KeyConcern,
  signal: AbortSignal,
): Promise<Pick<Examination, "right">> {
  const { list, regenerate } = toActions(target);
  let isCertain = true;
  for (const action of [list, regenerate]) {
    const may = await isPermitted(access, target.resource.id, action, signal);
    if (may === false) return withoutRight(explainMissingRight(action, account, target));
    isCertain &&= may === true;
  }
  return { right: { is: isCertain ? "proven" : "likely" } };
}

const withoutRight = (why: string): Examination => ({
  obstacles: [],
  right: { is: "missing", why },
});
