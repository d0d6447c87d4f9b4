import { app } from "@azure/functions";
import { linkNextPage, toAnswer } from "./http/answers.ts";
import { findRefusedCursor, readCursor, writeCursor } from "./http/cursor.ts";
import { handle } from "./http/handle.ts";
import { answerNoSuchTarget, limit, readTargetId } from "./http/parameters.ts";

/** Lists every configured target with its state. The list has pages only when the caller gives a limit. */
app.http("api-targets", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets",
  handler: handle(["limit", "cursor"], async (request, operations) => {
    const [after] = readCursor("targets", request.query.get("cursor")) ?? [];
    const max = limit(request, undefined);
    const found = await operations.targets({
      ...(max !== undefined && { limit: max }),
      ...(after !== undefined && { after }),
    });
    // The last target of the previous page is no longer in the configuration.
    if (!found) throw findRefusedCursor();
    const last = found.hasMore ? found.items.at(-1) : undefined;
    const cursor = last && writeCursor("targets", [last.id]);
    return toAnswer(200, { targets: found.items, ...linkNextPage("/api/targets", max, cursor) });
  }),
});

app.http("api-target", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}",
  handler: handle([], async (request, operations) => {
    const id = readTargetId(request);
    const found = await operations.target(id);
    if (!found) throw answerNoSuchTarget(id);
    return toAnswer(200, found);
  }),
});

/** Lists alarms that belong to no rotation, newest first. */
app.http("api-alarms", {
  methods: ["GET"],
  authLevel: "function",
  route: "alarms",
  handler: handle(["limit", "cursor"], async (request, operations) => {
    const [at, id] = readCursor("alarms", request.query.get("cursor")) ?? [];
    const after = at !== undefined && id !== undefined && { after: { at, id } };
    const max = limit(request, 20);
    const { items, hasMore } = await operations.alarms({ limit: max, ...after });
    const last = hasMore ? items.at(-1) : undefined;
    const cursor = last && writeCursor("alarms", [last.at, last.id]);
    return toAnswer(200, { alarms: items, ...linkNextPage("/api/alarms", max, cursor) });
  }),
});
