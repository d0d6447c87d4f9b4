import { app } from "@azure/functions";
import { readCursor, refusedCursor, writeCursor } from "./http/cursor.ts";
import { handle } from "./http/handle.ts";
import { limit, noSuchTarget, targetId } from "./http/parameters.ts";
import { answer, nextPage } from "./http/problem.ts";

/** Every configured target and how it stands; page by page only when a limit is given. */
app.http("api-targets", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets",
  handler: handle(["limit", "cursor"], async (request, operations) => {
    const [after] = readCursor("targets", request.query.get("cursor")) ?? [];
    const most = limit(request, undefined);
    const found = await operations.targets({
      ...(most !== undefined && { limit: most }),
      ...(after !== undefined && { after }),
    });
    // The target at which the page before ended has left the configuration.
    if (!found) throw refusedCursor();
    const last = found.hasMore ? found.items.at(-1) : undefined;
    const cursor = last && writeCursor("targets", [last.id]);
    return answer(200, { targets: found.items, ...nextPage("/api/targets", most, cursor) });
  }),
});

app.http("api-target", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}",
  handler: handle([], async (request, operations) => {
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
  handler: handle(["limit", "cursor"], async (request, operations) => {
    const [at, id] = readCursor("alarms", request.query.get("cursor")) ?? [];
    const after = at !== undefined && id !== undefined && { after: { at, id } };
    const most = limit(request, 20);
    const { items, hasMore } = await operations.alarms({ limit: most, ...after });
    const last = hasMore ? items.at(-1) : undefined;
    const cursor = last && writeCursor("alarms", [last.at, last.id]);
    return answer(200, { alarms: items, ...nextPage("/api/alarms", most, cursor) });
  }),
});
