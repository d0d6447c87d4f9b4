import type { Requested } from "../../shared/app.ts";
import { reply } from "./serve.ts";

/** The answer to a request that leads to a rotation. */
export function replyRequested(target: string, requested: Requested) {
  const { rotationId, joined, why, waiting } = requested;
  const location = `/api/targets/${target}/rotations/${rotationId}`;
  const json = {
    target,
    rotation: rotationId,
    status: location,
    joined,
    why,
    ...(waiting?.until !== undefined && { queuedUntil: waiting.until }),
    ...(waiting && { queuedWhy: waiting.why }),
  };
  return reply(202, json, { location });
}
