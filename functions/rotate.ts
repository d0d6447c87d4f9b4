import { app, type InvocationContext } from "@azure/functions";
import { parseWorkMessage } from "../shared/app.ts";
import { operationsFor } from "./invocation/operations.ts";

/** Starts or resumes whatever is due for one target. Failures are in the journal; only a bug ends in an exception. */
export async function rotate(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await operationsFor(context);
  await operations.work(parseWorkMessage(message));
}

app.storageQueue("rotate", {
  queueName: "%KEYTURN_QUEUE%",
  connection: "AzureWebJobsStorage",
  handler: rotate,
});
