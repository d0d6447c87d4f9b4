import { app, type InvocationContext, type Timer } from "@azure/functions";
import { operationsFor } from "./invocation/operations.ts";

/** Finds what is due. The one trigger that rotations depend on: all others only make them quicker. */
export async function sweep(_timer: Timer, context: InvocationContext): Promise<void> {
  const operations = await operationsFor(context);
  await operations.sweep();
}

app.timer("sweep", { schedule: "%KEYTURN_SWEEP_SCHEDULE%", handler: sweep });
