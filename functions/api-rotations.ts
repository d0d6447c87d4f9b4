import { app } from "@azure/functions";
import { handle, Refusal } from "./http/handle.ts";
import { limit, noSuchTarget, rotationId, targetId } from "./http/parameters.ts";
import { answer } from "./http/problem.ts";

/** The history of a target, newest first. */
app.http("api-rotations", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}/rotations",
  handler: handle(async (request, operations) => {
    const id = targetId(request);
    const rotations = await operations.rotations(id, limit(request, 20));
    if (!rotations) throw noSuchTarget(id);
    return answer(200, { rotations });
  }),
});

/** One rotation: its state, its phases with their times, and what went wrong. */
app.http("api-rotation", {
  methods: ["GET"],
  authLevel: "function",
  route: "targets/{target}/rotations/{rotation}",
  handler: handle(async (request, operations) => {
    const id = targetId(request);
    const rotation = rotationId(request);
    const found = await operations.rotation(id, rotation);
    if (!found) throw new Refusal(404, `Target "${id}" has no rotation ${rotation}.`);
    return answer(200, found);
  }),
});
