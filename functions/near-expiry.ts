import { app, type EventGridEvent, type InvocationContext } from "@azure/functions";
import { operationsFor } from "./invocation/operations.ts";

/**
 * Takes events of Key Vault, in the Event Grid schema or as CloudEvents, as hints to look at a target. Event Grid waits
 * 30 s for an answer and delivers again after that, so nothing but a message is made of it here.
 */
export async function nearExpiry(event: EventGridEvent, context: InvocationContext): Promise<void> {
  const operations = await operationsFor(context);
  await operations.notice(event);
}

app.eventGrid("near-expiry", { handler: nearExpiry });
