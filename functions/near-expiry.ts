import { app, type EventGridEvent, type InvocationContext } from "@azure/functions";
import { openOperations } from "./invocation/invocation-operations.ts";

/**
 * Turns an event of Key Vault, in the Event Grid schema or as a CloudEvent, into a queue message for its target. Event Grid
 * waits 30 s for an answer and then delivers again, so this function does nothing else.
 */
export async function nearExpiry(event: EventGridEvent, context: InvocationContext): Promise<void> {
  const operations = await openOperations(context);
  await operations.notice(event);
}

app.eventGrid("near-expiry", { handler: nearExpiry });
