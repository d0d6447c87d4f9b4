import { z } from "zod";
import { reasons, workingPhases } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import {
  cursor,
  instant,
  limit,
  list,
  moment,
  next,
  rotationId,
  targetId,
  targetParams,
  versionRef,
} from "./common.ts";
import { failure, force, lift, waits } from "./rotations.ts";

const exposure = z
  .object({
    at: instant,
    by: z.string(),
    from: z.string().optional(),
    kind: z.enum(["exposure", "breach"]),
    version: z.string().optional(),
  })
  .meta({ id: "Exposure" })
  .describe("The first report since the last change that somebody saw the secret.");

const openRotation = z.object({
  id: rotationId,
  phase: z.enum([...workingPhases, "blocked"]),
  account: z.string(),
  reason: z.enum(reasons),
  startedAt: instant,
  nextAttemptAt: instant.optional(),
  heldBy: z.string().optional().describe("What delays it until then."),
  lift: lift.optional(),
  force: force.optional(),
});

export const pause = z
  .object({ why: z.string(), by: z.string(), at: instant, until: instant })
  .meta({ id: "Pause" })
  .describe(
    "Who paused the target, when, why and until when. Until then no rotation and no retirement of the target starts.",
  );

const slot = z.object({
  account: z.string(),
  current: versionRef.optional(),
  previous: versionRef.optional(),
  abandoned: versionRef.optional(),
  changedAt: instant.optional(),
});

const health = z.enum(["new", "healthy", "failing", "blocked", "unreadable"]);

export const target = z
  .object({
    id: targetId,
    type: z.string(),
    health: health.describe("`unreadable`: this version of Keyturn cannot read its record."),
    unreadable: z.string().optional().describe("Why the record cannot be read, and what to do."),
    accounts: list(z.string()),
    changedBy: z.enum(["self", "admin", "identity"]),
    secret: z.object({ vault: z.string(), name: z.string() }),
    policy: z.string(),
    policyWhy: z.string(),
    policyFingerprint: z.string(),
    passwordEntropyBits: z.number(),
    tags: z.record(z.string(), z.string()),
    active: z.string().optional().describe("The account whose password consumers read."),
    published: versionRef.optional(),
    adoptedAt: instant.optional(),
    lastSuccessAt: instant.optional(),
    changedAt: instant.optional().describe("The last change, by Keyturn or a person."),
    exposure: exposure.optional(),
    lastUsedAt: instant.optional(),
    lastUsedBy: z.string().optional(),
    lastFailure: failure.optional(),
    nextDue: instant.optional(),
    dueReason: z.string().optional(),
    rotation: openRotation.optional(),
    pause: pause.optional().describe("The pause in force. Absent if the target is not paused."),
    queuedRotation: z.string().optional(),
    ...waits,
    retirement: z
      .object({ account: z.string(), at: instant, waitsFor: z.string() })
      .optional()
      .describe("The superseded account of a pair, and when it is retired."),
    slots: list(slot),
  })
  .meta({ id: "Target" });

const explainedTarget = target
  .extend({
    passedOver: list(z.object({ at: instant, why: z.string() })).describe(
      "Other possible due times, and why they do not apply.",
    ),
    policiesPassedOver: list(z.object({ policy: z.string(), why: z.string() })).describe(
      "Policies that do not apply, and why not.",
    ),
  })
  .meta({ id: "ExplainedTarget" });

const tagError = "`tag` must be a name and a value such as `team:payments`.";

/** Filters of targets. Several filters must all match. */
export const targetFilters = {
  health: health.optional().describe("Only targets with this health."),
  policy: z.string().optional().describe("Only targets under this policy."),
  type: z.string().optional().describe("Only targets of this type."),
  vault: z.string().optional().describe("Only targets that publish into this vault."),
  owner: z.string().optional().describe("Only targets whose tag `owner` has this value."),
  tag: z
    .string(tagError)
    .regex(/^[^:]+:[^]+$/, tagError)
    .transform((text): readonly [string, string] => {
      const at = text.indexOf(":");
      return [text.slice(0, at), text.slice(at + 1)];
    })
    .optional()
    .describe("Only targets with this tag, such as `team:payments`."),
  overdue: z
    .enum(["true"])
    .optional()
    .describe("`true`: only targets that were due more than 15 minutes ago."),
  dueBefore: moment('`dueBefore` must be a date or time such as "2026-12-20".')
    .optional()
    .describe("Only targets that are due before this moment."),
};

export const listTargets = endpoint({
  route: "api-targets",
  summary: "List targets in the order of the configuration",
  description: "Without `limit`, all of them in one page.",
  query: z.strictObject({ limit: limit.optional(), cursor: cursor.optional(), ...targetFilters }),
  answers: {
    200: {
      description: "A page of targets.",
      content: { "application/json": z.object({ targets: list(target), next }) },
    },
  },
  problems: [],
});

export const getTarget = endpoint({
  route: "api-target",
  summary: "Show the state of one target",
  params: targetParams,
  answers: {
    200: { description: "The target.", content: { "application/json": explainedTarget } },
  },
  problems: ["target-not-found"],
});
