import { app, type HttpRequest } from "@azure/functions";
import { linkNextPage, toAnswer } from "./http/answers.ts";
import { findRefusedCursor, readCursor, writeCursor } from "./http/cursor.ts";
import { handle } from "./http/handle.ts";
import { answerNoSuchTarget, limit, readRotationId, readTargetId } from "./http/parameters.ts";
import { RequestError } from "./http/request-error.ts";

/** Lists the rotations of a target, newest first. */
app.http("api-rotations", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}/rotations",
  handler: handle(["limit", "cursor"], async (request, operations) => {
    const id = readTargetId(request);
    const page = { limit: limit(request, 20), ...placeIn(request, id) };
    const found = await operations.rotations(id, page);
    if (!found) throw answerNoSuchTarget(id);
    const last = found.hasMore ? found.items.at(-1) : undefined;
    const cursor = last && writeCursor("rotations", [id, last.rotationId]);
    const next = linkNextPage(`/api/targets/${id}/rotations`, page.limit, cursor);
    return toAnswer(200, { rotations: found.items, ...next });
  }),
});

function placeIn({ query }: HttpRequest, id: string): { readonly after?: string } {
  const place = readCursor("rotations", query.get("cursor"));
  if (!place) return {};
  const [target, after] = place;
  // A cursor of another target would skip newer rotations of this one.
  if (target !== id || after === undefined) throw findRefusedCursor();
  return { after };
}

/** Answers with one rotation: its state, its phases with their times, what it waits for, and what went wrong. */
app.http("api-rotation", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}/rotations/{rotation}",
  handler: handle([], async (request, operations) => {
    const id = readTargetId(request);
    const rotation = readRotationId(request);
    const found = await operations.rotation(id, rotation);
    if (!found) throw new RequestError(404, `Target "${id}" has no rotation ${rotation}.`);
    return toAnswer(200, found);
  }),
});
