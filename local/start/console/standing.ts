import { setTimeout as wait } from "node:timers/promises";
import type { KeyturnEvent } from "../environment/functions-host.ts";
import type { Api, TargetView } from "./api.ts";

const maxReads = 20;
const pauseMs = 50;

/**
 * Reads the state of the event's target. The app logs a success before it writes the record, so this waits up to a second until the
 * record names the new version. Returns undefined when it does not, or when the app does not answer.
 */
export async function readStanding(
  api: Pick<Api, "target">,
  { type, targetId, version }: KeyturnEvent,
): Promise<TargetView | undefined> {
  if (targetId === undefined) return undefined;
  for (let reads = 0; reads < maxReads; reads++) {
    const target = await api.target(targetId).catch(() => undefined);
    if (type !== "succeeded" || target === undefined) return target;
    if (target.published?.version === version?.version) return target;
    await wait(pauseMs);
  }
  return undefined;
}
