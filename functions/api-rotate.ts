import { app, type HttpRequest, type HttpResponseInit } from "@azure/functions";
import {
  durationOf,
  formatDuration,
  maxGraceMs,
  type Operations,
  type RotationInput,
} from "../shared/app.ts";
import { toAnswer } from "./http/answers.ts";
import { readObject } from "./http/body.ts";
import { describeCaller } from "./http/caller.ts";
import { handle } from "./http/handle.ts";
import { answerNoSuchTarget, readTargetId } from "./http/parameters.ts";
import { RequestError } from "./http/request-error.ts";
import { readChoice, readText } from "./http/request-fields.ts";

const reasons = ["operator", "exposure"] as const;
const fields = ["reason", "grace", "liftFreeze"];

/**
 * Requests a rotation now. Answers 202 with where to follow the rotation and what it waits for. Requests with the same
 * Idempotency-Key get the same rotation.
 */
async function requestRotation(
  request: HttpRequest,
  operations: Operations,
): Promise<HttpResponseInit> {
  const id = readTargetId(request);
  const key = idempotencyKey(request);
  const input: RotationInput = {
    ...readInput(await readObject(request, fields)),
    requestedBy: describeCaller(request),
    ...(key !== undefined && { key }),
  };
  const requested = await operations.request(id, input);
  if (!requested) throw answerNoSuchTarget(id);
  const { rotationId, joined, why, waiting } = requested;
  const location = `/api/targets/${id}/rotations/${rotationId}`;
  const body = {
    target: id,
    rotation: rotationId,
    status: location,
    joined,
    why,
    ...(waiting?.until !== undefined && { queuedUntil: waiting.until }),
    ...(waiting && { queuedWhy: waiting.why }),
  };
  return toAnswer(202, body, { location });
}

function readInput({
  reason,
  grace,
  liftFreeze,
}: Record<string, unknown>): Omit<RotationInput, "requestedBy" | "key"> {
  return {
    reason: readChoice("reason", reasons, reason),
    ...(grace !== undefined && { grace: readGrace(grace) }),
    ...(liftFreeze !== undefined && {
      liftFreeze: readText("liftFreeze", "the reason for lifting the freeze", liftFreeze),
    }),
  };
}

/** Checks the general limit. The target's policy may set a lower one, which `requestRotation` of the engine enforces. */
function readGrace(grace: unknown): number {
  const milliseconds = typeof grace === "string" ? durationOf(grace) : undefined;
  if (milliseconds !== undefined && milliseconds <= maxGraceMs) return milliseconds;
  const max = formatDuration(maxGraceMs);
  throw new RequestError(
    400,
    `\`grace\` must be a duration such as "0s", "30m" or "24h", at most ${max}.`,
  );
}

function idempotencyKey(request: HttpRequest): string | undefined {
  const key = request.headers.get("idempotency-key");
  if (key === null) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new RequestError(400, "`Idempotency-Key` must be 1 to 200 visible ASCII characters.");
}

app.http("api-rotate", {
  methods: ["POST"],
  authLevel: "function",
  route: "targets/{target}/rotations",
  handler: handle([], requestRotation),
});
