import { app, type InvocationContext } from "@azure/functions";
import { parseWorkMessage } from "../shared/app.ts";
import { operationsFor } from "./invocation/operations.ts";

/** Starts or resumes whatever is due for one target. Failures are in the journal; only a bug ends in an exception. */
export async function rotate(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await operationsFor(context);
  await operations.work(parseWorkMessage(message));
}

/** The same for what a person waits for. */
export async function rotateFirst(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await operationsFor(context);
  await operations.work(parseWorkMessage(message), "first");
}

const connection = "AzureWebJobsStorage";
app.storageQueue("rotate", { queueName: "%KEYTURN_QUEUE%", connection, handler: rotate });
// What a person waits for has a queue of its own, and so places of its own on each instance.
app.storageQueue("rotate-first", {
  queueName: "%KEYTURN_QUEUE%-first",
  connection,
  handler: rotateFirst,
});
