import { app, type InvocationContext, type Timer } from "@azure/functions";
import { openOperations } from "./invocation/invocation-operations.ts";

/** Finds due targets. Rotations depend only on this trigger; the other triggers make them start sooner. */
export async function sweep(_timer: Timer, context: InvocationContext): Promise<void> {
  const operations = await openOperations(context);
  await operations.sweep();
}

app.timer("sweep", { schedule: "%KEYTURN_SWEEP_SCHEDULE%", handler: sweep });
