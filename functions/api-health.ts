import { app } from "@azure/functions";
import { toAnswer } from "./http/answers.ts";
import { handle } from "./http/handle.ts";

/** Milliseconds one answer is reused: callers without a key must not be able to put load on the journal. */
const cacheMs = 5_000;

let last: { readonly at: number; readonly healthy: Promise<boolean> } | undefined;

/** Reports to load balancers whether the app is up. Needs no key, so it reveals nothing else. */
app.http("api-health", {
  methods: ["GET"],
  authLevel: "anonymous",
  route: "health",
  handler: handle([], async (_request, operations) => {
    if (!last || Date.now() - last.at > cacheMs) {
      last = { at: Date.now(), healthy: operations.isHealthy() };
    }
    return (await last.healthy)
      ? toAnswer(200, { status: "up" })
      : toAnswer(503, { status: "down" });
  }),
});
