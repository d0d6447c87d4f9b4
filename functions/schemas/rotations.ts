import { z } from "zod";
import {
  errorKinds,
  formatDuration,
  maxGraceMs,
  reasons,
  runStates,
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
  moment,
  next,
  pageQuery,
  rotationId,
  rotationParams,
  targetId,
  targetParams,
  versionRef,
} from "./common.ts";
import { accepted, lifts, requested, waits } from "./requested.ts";

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
      .enum(runStates)
      .describe(
        "`blocked`: no stored password is known to work. A person must act. `cancelled`: a person cancelled the scheduled rotation before its date.",
      ),
    cause: z
      .enum(reasons)
      .describe(
        "`first`: the first rotation after the adoption. `drift`: the target refuses the published secret. `import`: somebody else issued the password. `undo`: the previous password is published again. `linked`: the target that it follows (`after`) was rotated. An exposure that joins makes the cause `exposure`.",
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
    alreadySet: z
      .boolean()
      .optional()
      .describe(
        "`true`: the target accepted the imported or previous password before Keyturn changed anything, so nothing was set.",
      ),
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

export const requestRotation = endpoint({
  route: "api-rotate",
  group: "Rotations",
  summary: "Request a rotation now",
  description:
    "The request is durable when it is answered. It joins a rotation that is queued, or one under way that has not published its secret yet. Otherwise it gets a rotation of its own, and an open rotation that must end before it does not wait for its next attempt.",
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
          `How long the superseded password stays valid. At most the policy's \`every\`, and at most \`${formatDuration(maxGraceMs)}\`. Only for pairs that an administrator or an identity changes, and for single accounts that may have two passwords. Default: the target's grace.`,
        ),
      notBefore: moment(
        '`notBefore` must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".',
      )
        .optional()
        .describe(
          "The rotation starts at or after this moment, at most 400 days ahead. It is a rotation of its own: one that starts earlier does not answer it, because its password may be known by then. Windows do not delay it; freezes and pauses do. In the past: now. Default: now.",
        ),
      ...lifts,
      ...justification,
    }),
  },
  answers: {
    202: { ...accepted, content: { "application/json": requested } },
  },
  problems: ["target-not-found", "busy", "record-unreadable"],
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

export const cancelRotation = endpoint({
  route: "api-rotation-cancel",
  group: "Rotations",
  summary: "Cancel a scheduled rotation",
  description:
    "Cancels a rotation that was requested with `notBefore` and waits for its date. Refused once it is queued, under way or over: `detail` says which. A paused target starts no queued rotation.",
  params: rotationParams,
  headers: keyedHeaders,
  body: { json: z.strictObject(justification) },
  answers: {
    200: {
      description: "The rotation is cancelled, and its state in the history is `cancelled`.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            rotation: rotationId,
            notBefore: instant.describe("The date for which it was scheduled."),
            requestedBy: z.string().describe("Who scheduled it."),
            why: z.string().describe("What was cancelled, in a sentence."),
          })
          .meta({ id: "CancelledRotation" }),
      },
    },
  },
  problems: ["rotation-not-found", "busy", "not-possible", "record-unreadable"],
});

const eventIdError =
  "`Last-Event-ID` must be the id of an event of this rotation. Leave it out to start with the present state.";

export const followRotation = endpoint({
  route: "api-rotation-events",
  group: "Rotations",
  summary: "Follow a rotation as server-sent events",
  description:
    "Each event has the whole rotation, as `GET …/rotations/{rotation}` answers it: `progress` whenever it has changed, and `end` when it is done, failed, blocked or cancelled. After `end` the stream ends. It also ends after 200 seconds: connect again with the header `Last-Event-ID`, as browsers do. Then an event comes only if something has changed since; 204 says that you have the last one. Comments come every 15 seconds. One instance streams to five clients at a time; poll if you are not one of them.",
  params: rotationParams,
  headers: z.strictObject({
    "last-event-id": z
      .string(eventIdError)
      .regex(/^[0-9A-HJKMNP-TV-Z]{26}\.[0-9a-f]{16}$/, eventIdError)
      .optional()
      .describe("The id of the last event that you have. Default: start with the present state."),
  }),
  answers: {
    200: {
      description: "The events.",
      content: {
        "text/event-stream": z.string().meta({
          examples: ["id: 01JQ0000000000000000000000.0123456789abcdef\nevent: end\ndata: {}\n\n"],
        }),
      },
    },
    204: { description: "You have the last event already.", content: {} },
  },
  problems: ["rotation-not-found", "record-unreadable", "too-many-streams"],
});
