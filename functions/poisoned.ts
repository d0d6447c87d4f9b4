import { app, type InvocationContext } from "@azure/functions";
import { parseWorkMessage } from "../shared/app.ts";
import { openOperations } from "./invocation/invocation-operations.ts";

/** Reports a message that the host stopped retrying. The sweep picks the target up again. */
export async function poisoned(message: unknown, context: InvocationContext): Promise<void> {
  const operations = await openOperations(context);
  await operations.giveUp(parseWorkMessage(message));
}

const connection = "AzureWebJobsStorage";
app.storageQueue("poisoned", {
  queueName: "%KEYTURN_QUEUE%-poison",
  connection,
  handler: poisoned,
});
app.storageQueue("poisoned-first", {
  queueName: "%KEYTURN_QUEUE%-first-poison",
  connection,
  handler: poisoned,
});
