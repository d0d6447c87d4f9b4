import { z } from "zod";
import { errorKinds, maxGraceMs, reasons, workingPhases } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import {
  cursor,
  duration,
  instant,
  limit,
  list,
  next,
  rotationId,
  rotationParams,
  sentence,
  targetId,
  targetParams,
  versionRef,
} from "./common.ts";

export const failure = z
  .object({
    kind: z
      .enum(errorKinds)
      .describe("The kind of the error, as the reference of errors explains."),
    message: z.string().describe("What happened, for a person. Never contains a secret."),
    at: instant,
  })
  .meta({ id: "Failure" });

export const lift = z
  .object({ why: z.string(), by: z.string(), at: instant })
  .meta({ id: "Lift" })
  .describe("Who let the rotation start during a freeze, when and why.");

export const force = z
  .object({ why: z.string(), by: z.string(), at: instant })
  .meta({ id: "Force" })
  .describe("Who let the rotation start although the target was paused, when and why.");

export const waits = {
  queuedUntil: instant
    .optional()
    .describe("Until when the rotation waits. Absent if it does not wait or the end is not known."),
  queuedWhy: z
    .string()
    .optional()
    .describe("What the rotation waits for. Absent if it starts, or continues, at once."),
};

const phase = z.object({
  phase: z.enum(workingPhases),
  startedAt: instant,
  endedAt: instant.optional(),
});

export const rotation = z
  .object({
    rotationId,
    targetId,
    account: z.string().optional().describe("The account whose password is changed."),
    state: z.enum(["queued", "running", "done", "failed", "blocked"]),
    reason: z.enum(reasons),
    requestedBy: z.string(),
    requestedAt: instant,
    why: z.string().describe("Why the rotation happens, and under which policy."),
    lift: lift.optional(),
    force: force.optional(),
    policyFingerprint: z.string().describe("Identifies the policy under which it began."),
    startedAt: instant.optional(),
    endedAt: instant.optional(),
    duration: z.number().optional().describe("Milliseconds from its start to its end."),
    phases: list(phase),
    ...waits,
    published: versionRef.optional(),
    failure: failure.optional(),
    nextDue: instant.optional().describe("When the target was due again when the rotation ended."),
    dueReason: z.string().optional(),
  })
  .meta({ id: "Rotation" });

const unreadableRotation = z
  .object({ rotationId, targetId, state: z.literal("unreadable"), why: z.string() })
  .meta({ id: "UnreadableRotation" })
  .describe("A row of the history that this version of Keyturn cannot read.");

const idempotencyError = "`Idempotency-Key` must be 1 to 200 visible ASCII characters.";

export const idempotencyKey = z
  .string(idempotencyError)
  .regex(/^[\x21-\x7e]{1,200}$/, idempotencyError)
  .describe("Requests with the same key for the same target take effect once.");

export const requestRotation = endpoint({
  route: "api-rotate",
  summary: "Request a rotation now",
  description:
    "The request is durable when it is answered. It joins a rotation that is queued, or one under way that has not published its secret yet.",
  params: targetParams,
  headers: z.strictObject({ "idempotency-key": idempotencyKey.optional() }),
  body: {
    json: z.strictObject({
      reason: z
        .enum(["operator", "exposure"])
        .default("operator")
        .describe("`exposure`: somebody saw the secret."),
      grace: duration("grace", maxGraceMs)
        .optional()
        .describe(
          "How long the superseded password of a pair stays valid; at most the policy's `every`. Default: the target's grace.",
        ),
      liftFreeze: sentence("liftFreeze", "the reason for lifting the freeze")
        .optional()
        .describe("Why the rotation starts although a freeze is in force. The history keeps it."),
      force: sentence("force", "the reason for rotating a paused target")
        .optional()
        .describe(
          "Why the rotation starts although the target is paused. The history keeps it. It lifts no freeze; give `liftFreeze` too if one is in force.",
        ),
    }),
  },
  answers: {
    202: {
      description: "The request is accepted.",
      headers: z.object({ location: z.string().describe("The path of the rotation.") }),
      content: {
        "application/json": z
          .object({
            target: targetId,
            rotation: rotationId,
            status: z.string().describe("The path of the rotation."),
            joined: z
              .boolean()
              .describe("Whether a rotation that was queued or under way already answers it."),
            why: z.string(),
            ...waits,
          })
          .meta({ id: "RequestedRotation" }),
      },
    },
  },
  problems: ["target-not-found", "busy", "idempotency-key-reused"],
});

export const listRotations = endpoint({
  route: "api-rotations",
  summary: "List the rotations of a target, newest first",
  params: targetParams,
  query: z.strictObject({ limit: limit.optional(), cursor: cursor.optional() }),
  answers: {
    200: {
      description: "A page of the history.",
      content: {
        "application/json": z.object({
          rotations: list(z.union([rotation, unreadableRotation])),
          next,
        }),
      },
    },
  },
  problems: ["target-not-found"],
});

export const getRotation = endpoint({
  route: "api-rotation",
  summary: "Show one rotation: its state, its phases and what it waits for",
  params: rotationParams,
  answers: { 200: { description: "The rotation.", content: { "application/json": rotation } } },
  problems: ["rotation-not-found"],
});
