import { z } from "zod";
import {
  errorKinds,
  formatDuration,
  maxGraceMs,
  reasons,
  workingPhases,
} from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import {
  duration,
  givenJustification,
  instant,
  justification,
  keyedHeaders,
  list,
  next,
  pageQuery,
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
      .describe("What is known after the failure. The reference of errors explains each kind."),
    message: z.string().describe("What happened and what to do. Never contains a secret."),
    at: instant,
  })
  .meta({ id: "Failure", description: "The failure of an attempt." });

export const lift = z
  .object({
    why: z.string().describe("The reason that the caller gave."),
    by: z.string().describe("Who lifted the freezes."),
    at: instant,
  })
  .meta({ id: "Lift", description: "Who let the rotation start during a freeze, when and why." });

export const force = z
  .object({ why: z.string(), by: z.string(), at: instant })
  .meta({ id: "Force" })
  .describe("Who let the rotation start although the target was paused, when and why.");

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

const phase = z.object({
  phase: z.enum(workingPhases),
  startedAt: instant,
  endedAt: instant.optional(),
});

const rotation = z
  .object({
    rotationId,
    targetId,
    account: z.string().optional().describe("The account whose password is changed."),
    state: z
      .enum(["queued", "running", "done", "failed", "blocked"])
      .describe("`blocked`: no stored password is known to work. A person must act."),
    cause: z
      .enum(reasons)
      .describe(
        "`first`: the first rotation after the adoption. `drift`: the target refuses the published secret. An exposure that joins makes the cause `exposure`.",
      ),
    ...givenJustification,
    requestedBy: z.string().describe("Who requested it. `schedule`: its policy."),
    requestedAt: instant,
    why: z.string().describe("Why the rotation happens, and under which policy."),
    lift: lift.optional(),
    force: force.optional(),
    policyFingerprint: z.string().describe("Identifies the policy under which it began."),
    startedAt: instant.optional(),
    endedAt: instant.optional(),
    duration: z.number().optional().describe("Milliseconds from its start to its end."),
    phases: list(phase).describe("The latest phases, at most 20."),
    ...waits,
    published: versionRef.optional().describe("The version that the rotation published."),
    failure: failure.optional().describe("What went wrong."),
    nextDue: instant.optional().describe("When the target was due again when the rotation ended."),
    dueReason: z.string().optional().describe("Why it was due then."),
  })
  .meta({ id: "Rotation", description: "One change of the password of one account." });

const unreadableRotation = z
  .object({
    rotationId,
    targetId,
    state: z.literal("unreadable"),
    why: z.string().describe("Why the row cannot be read, and what to do."),
  })
  .meta({
    id: "UnreadableRotation",
    description: "A row of the history that this version of Keyturn cannot read.",
  });

const requestedExample = {
  target: "orders-db",
  rotation: "01JQ0000000000000000000000",
  status: "/api/targets/orders-db/rotations/01JQ0000000000000000000000",
  joined: false,
  why: "Requested by function key (cause: operator); policy often: frozen from 2026-12-20 to 2027-01-03 (year end)",
  queuedUntil: "2027-01-04T00:00:00.000Z",
  queuedWhy: "policy often: frozen from 2026-12-20 to 2027-01-03 (year end)",
};

export const requestRotation = endpoint({
  route: "api-rotate",
  group: "Rotations",
  summary: "Request a rotation now",
  description:
    "The request is durable when it is answered. It joins a rotation that is queued, or one under way that has not published its secret yet. Otherwise it gets a rotation of its own.",
  params: targetParams,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      cause: z
        .enum(["operator", "exposure"])
        .default("operator")
        .describe("Why the password must change. `exposure`: somebody saw the secret."),
      grace: duration("grace", maxGraceMs)
        .optional()
        .describe(
          `How long the superseded password of a pair stays valid. At most the policy's \`every\`, and at most \`${formatDuration(maxGraceMs)}\`. Only for pairs that an administrator or an identity changes. Default: the target's grace.`,
        ),
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
      ...justification,
    }),
  },
  answers: {
    202: {
      description: "The request is accepted.",
      headers: z.object({
        location: z.string().describe("The path at which the rotation can be followed."),
      }),
      content: {
        "application/json": z
          .object({
            target: targetId,
            rotation: rotationId,
            status: z.string().describe("The path at which the rotation can be followed."),
            joined: z
              .boolean()
              .describe("Whether a rotation that was queued or under way already answers it."),
            why: z
              .string()
              .describe(
                "Who requested it and what the policy says, or which rotation the request joins.",
              ),
            ...waits,
          })
          .meta({
            id: "RequestedRotation",
            description: "The rotation that answers a request.",
            examples: [requestedExample],
          }),
      },
    },
  },
  problems: ["target-not-found", "busy", "idempotency-key-reused", "record-unreadable"],
});

export const listRotations = endpoint({
  route: "api-rotations",
  group: "Rotations",
  summary: "List the rotations of a target, newest first",
  params: targetParams,
  query: pageQuery,
  answers: {
    200: {
      description: "A page of the history.",
      content: {
        "application/json": z.object({
          rotations: list(z.union([rotation, unreadableRotation])).describe(
            "The rotations of the page.",
          ),
          next,
        }),
      },
    },
  },
  problems: ["target-not-found"],
});

export const getRotation = endpoint({
  route: "api-rotation",
  group: "Rotations",
  summary: "Show one rotation: its state, its phases and what it waits for",
  params: rotationParams,
  answers: { 200: { description: "The rotation.", content: { "application/json": rotation } } },
  problems: ["rotation-not-found", "record-unreadable"],
});
