import { app } from "@azure/functions";
import { handle } from "./http/handle.ts";
import { limit, noSuchTarget, targetId } from "./http/parameters.ts";
import { answer } from "./http/problem.ts";

/** Every configured target and how it stands. */
app.http("api-targets", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets",
  handler: handle(async (_request, operations) =>
    answer(200, { targets: await operations.targets() }),
  ),
});

app.http("api-target", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}",
  handler: handle(async (request, operations) => {
    const id = targetId(request);
    const found = await operations.target(id);
    if (!found) throw noSuchTarget(id);
    return answer(200, found);
  }),
});

/** What no rotation can answer for, newest first. */
app.http("api-alarms", {
  methods: ["GET"],
  authLevel: "function",
  route: "alarms",
  handler: handle(async (request, operations) =>
    answer(200, { alarms: await operations.alarms(limit(request, 20)) }),
  ),
});
