/** A minimal function, with which a cold start is compared. */
import { app } from "@azure/functions";

app.http("hello", { authLevel: "anonymous", handler: () => ({ body: "hello" }) });
