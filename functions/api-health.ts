import { app } from "@azure/functions";
import { handle } from "./http/handle.ts";
import { answer } from "./http/problem.ts";

/** Milliseconds one answer serves everybody: whoever may ask without a key must not be able to load the journal. */
const keptFor = 5_000;

let last: { readonly at: number; readonly healthy: Promise<boolean> } | undefined;

/** For load balancers: up or not, and nothing that an outsider should not know. */
app.http("api-health", {
  methods: ["GET"],
  authLevel: "anonymous",
  route: "health",
  handler: handle([], async (_request, operations) => {
    if (!last || Date.now() - last.at > keptFor) {
      last = { at: Date.now(), healthy: operations.isHealthy() };
    }
    return (await last.healthy) ? answer(200, { status: "up" }) : answer(503, { status: "down" });
  }),
});
