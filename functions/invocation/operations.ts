import type { InvocationContext } from "@azure/functions";
import type { App, Operations } from "../../shared/app.ts";
import { theApp } from "../../shared/app.ts";
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

let reported: Promise<void> | undefined;

/** Once in each process, and before anything else is done: start-up itself has no log to write to. */
async function report(made: App, context: InvocationContext): Promise<void> {
  for (const warning of await made.warnings()) context.warn(`configuration: ${warning}`);
}

/** The app's operations, telling what happens to this invocation's log. */
export async function operationsFor(context: InvocationContext): Promise<Operations> {
  const made = await theApp();
  await (reported ??= report(made, context).catch((error: unknown) => {
    reported = undefined;
    throw error;
  }));
  return made.with(logTo(context));
}
