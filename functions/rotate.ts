import { app, type InvocationContext } from "@azure/functions";
import { parseWorkMessage } from "../shared/app.ts";
import { openOperations } from "./invocation/invocation-operations.ts";

/** Starts or resumes the due work of one target. Failures go to the journal; only a bug throws. */
export async function rotate(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await openOperations(context);
  await operations.work(parseWorkMessage(message));
}

/** The same for what a person waits for. */
export async function rotateFirst(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await openOperations(context);
  await operations.work(parseWorkMessage(message), "first");
}

const connection = "AzureWebJobsStorage";
app.storageQueue("rotate", { queueName: "%KEYTURN_QUEUE%", connection, handler: rotate });
// Work that a person waits for has its own queue, so other work on an instance does not delay it.
app.storageQueue("rotate-first", {
  queueName: "%KEYTURN_QUEUE%-first",
  connection,
  handler: rotateFirst,
});
