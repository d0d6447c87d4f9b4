import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import { durationOf, longestGrace, type Operations, type Wanted } from "../shared/app.ts";
import { readObject } from "./http/body.ts";
import { callerOf } from "./http/caller.ts";
import { handle, Refusal } from "./http/handle.ts";
import { noSuchTarget, targetId } from "./http/parameters.ts";
import { answer } from "./http/problem.ts";

const reasons = ["operator", "exposure"] as const;

/** Rotate now: 202 and where to follow the rotation. With the same Idempotency-Key always the same rotation. */
async function requestRotation(
  request: HttpRequest,
  operations: Operations,
): Promise<HttpResponseInit> {
  const id = targetId(request);
  const key = idempotencyKey(request);
  const wanted: Wanted = {
    ...readWanted(await readObject(request)),
    requestedBy: callerOf(request),
    ...(key !== undefined && { key }),
  };
  const rotationId = await operations.request(id, wanted);
  if (rotationId === undefined) throw noSuchTarget(id);
  const location = `/api/targets/${id}/rotations/${rotationId}`;
  return answer(202, { target: id, rotation: rotationId, status: location }, { location });
}

function readWanted(body: Record<string, unknown>): Pick<Wanted, "reason" | "grace"> {
  const { reason = "operator", grace, ...rest } = body;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) {
    throw new Refusal(
      400,
      `The body may hold reason and grace, and not ${unknown.join(", ").slice(0, 100)}.`,
    );
  }
  const known = reasons.find((one) => one === reason);
  if (!known) throw new Refusal(400, `reason must be one of ${reasons.join(" and ")}.`);
  if (grace === undefined) return { reason: known };
  const milliseconds = typeof grace === "string" ? durationOf(grace) : undefined;
  if (milliseconds === undefined || milliseconds > longestGrace) {
    throw new Refusal(400, 'grace must be a duration such as "0s", "30m" or "24h", at most 3650d.');
  }
  return { reason: known, grace: milliseconds };
}

function idempotencyKey(request: HttpRequest): string | undefined {
  const key = request.headers.get("idempotency-key");
  if (key === null) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new Refusal(400, "Idempotency-Key must have 1 to 200 visible ASCII characters.");
}

app.http("api-rotate", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/rotations",
  handler: handle(requestRotation),
});
