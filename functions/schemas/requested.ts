import { z } from "zod";
import { instant, rotationId, sentence, targetId } from "./common.ts";

// What requests that lead to a rotation have in common.

export const waits = {
  queuedUntil: instant
    .optional()
    .describe(
      "Until when the rotation waits. Absent if it does not wait, or if the end is not known.",
    ),
  queuedWhy: z
    .string()
    .optional()
    .describe(
      "What the rotation waits for: a freeze, the next attempt, another rotation, the adoption, a rest after an error, a busy worker or server, an administrator's secret that is in use, or a person. Absent if it starts, or continues, at once.",
    ),
};

/** How a caller lets a rotation start although something delays it. */
export const lifts = {
  liftFreeze: sentence("liftFreeze", "the reason for lifting the freeze")
    .optional()
    .describe(
      "Why the rotation starts although a freeze is in force. The history keeps the reason, the time and the caller. It also holds for attempts and repeats after a failure, until the rotation succeeds. Default: freezes apply.",
    ),
  force: sentence("force", "the reason for rotating a paused target")
    .optional()
    .describe(
      "Why the rotation starts although the target is paused. The history keeps it. It lifts no freeze; give `liftFreeze` too if one is in force.",
    ),
};

const requestedExample = {
  target: "orders-db",
  rotation: "01JQ0000000000000000000000",
  status: "/api/targets/orders-db/rotations/01JQ0000000000000000000000",
  joined: false,
  why: "Requested by function key (cause: operator); policy often: frozen from 2026-12-20 to 2027-01-03 (year end)",
  queuedUntil: "2027-01-04T00:00:00.000Z",
  queuedWhy: "policy often: frozen from 2026-12-20 to 2027-01-03 (year end)",
};

export const requested = z
  .object({
    target: targetId,
    rotation: rotationId,
    status: z.string().describe("The path at which the rotation can be followed."),
    joined: z
      .boolean()
      .describe("Whether a rotation that was queued or under way already answers it."),
    why: z
      .string()
      .describe("Who requested it and what the policy says, or which rotation the request joins."),
    ...waits,
  })
  .meta({
    id: "RequestedRotation",
    description: "The rotation that answers a request.",
    examples: [requestedExample],
  });

/** An accepted request, without its content. */
export const accepted = {
  description: "The request is accepted.",
  headers: z.object({
    location: z.string().describe("The path at which the rotation can be followed."),
  }),
} as const;
