import type { InvocationContext } from "@azure/functions";
import { getApp, type Operations } from "../../shared/app.ts";
import type { EventReader } from "../../shared/core/events.ts";

/** Writes each event as one line of JSON to the log of the invocation. */
function logTo(context: InvocationContext): EventReader {
  return (event) => {
    const line = JSON.stringify({ keyturn: event });
    if (event.severity === "error") context.error(line);
    else if (event.severity === "warning") context.warn(line);
    else context.info(line);
  };
}

/** Returns the app's operations, which log events to this invocation. Logs new configuration warnings first. */
export async function openOperations(context: InvocationContext): Promise<Operations> {
  const app = await getApp();
  const operations = await app.with(logTo(context));
  for (const warning of await app.newWarnings()) context.warn(`configuration: ${warning}`);
  return operations;
}
