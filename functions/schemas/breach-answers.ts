import { z } from "zod";
import { breachStates, itemStates, obstacleKinds } from "../../shared/app.ts";
import {
  givenJustification,
  instant,
  list,
  rotationId,
  targetId,
  ulid,
  versionRef,
} from "./common.ts";
import { failure } from "./rotations.ts";

export const breachId = ulid("breach").meta({ id: "BreachId" });

const act = z
  .object({ by: z.string(), at: instant, ...givenJustification })
  .meta({ id: "BreachAct", description: "Who did something to a breach, when and why." });

const share = {
  name: z.string(),
  count: z.number().describe("New versions in the vault; rotations at the server."),
  seconds: z.number(),
};

const estimate = z
  .object({
    seconds: z
      .number()
      .describe("From the confirmation to the end of the last rotation, if nothing fails."),
    limitedBy: z.string().describe("The vault or the server that takes the longest."),
    vaults: list(
      z.object({
        ...share,
        perTenSeconds: z.number().describe("How many versions it may create in 10 seconds."),
      }),
    ).describe("The vaults that take the longest, at most 20."),
    servers: list(z.object(share)).describe("The servers that take the longest, at most 20."),
  })
  .meta({ id: "BreachEstimate", description: "How long a breach takes, and why." });

const obstacle = z.enum(obstacleKinds);

const summary = z
  .object({
    targets: z.number(),
    withGap: z
      .number()
      .describe(
        "Targets without a second account. Consumers are refused from the change until they read the new password.",
      ),
    keepOldPassword: z
      .number()
      .describe(
        "Pairs whose accounts change their own passwords. The old password works until the next rotation.",
      ),
    obstacles: z
      .partialRecord(obstacle, z.number())
      .describe(
        "How many targets have each obstacle. Confirm with `liftFreezes` to rotate the frozen ones now, and with `force` to rotate the paused ones; otherwise they wait.",
      ),
    consumers: list(z.object({ name: z.string(), targets: z.number() })).describe(
      "The consumers of the targets, those of most targets first; at most 100.",
    ),
    otherConsumers: z.number().describe("How many more consumers there are."),
  })
  .meta({ id: "BreachSummary", description: "What the preview says about all targets together." });

const counts = z
  .object({
    waiting: z.number().describe("Not begun."),
    begun: z.number().describe("Queued or under way."),
    rotated: z.number(),
    failed: z.number().describe("The rotation failed. Keyturn tries again by itself."),
    blocked: z.number().describe("A person must act."),
    unfinished: z.number().describe("Not rotated in time. Keyturn goes on by itself."),
    left: z.number().describe("No rotation was requested."),
  } satisfies Record<(typeof itemStates)[number], z.ZodNumber>)
  .meta({ id: "BreachCounts", description: "How many targets are in each state." });

export const breach = z
  .object({
    id: breachId,
    state: z
      .enum([...breachStates, "expired"])
      .describe(
        "`preview`: not confirmed. `stopping`: cancelled, and the rotations that have begun end. `ended`: the report is final. `expired`: a preview that can no longer be confirmed.",
      ),
    at: instant.describe("When the preview was made."),
    by: z.string().describe("Who made the preview."),
    reason: z.string(),
    ticket: z.string().optional(),
    selection: z
      .object({
        targets: list(z.string()).optional(),
        tags: list(list(z.string())).optional(),
        host: z.string().optional(),
        vault: z.string().optional(),
        type: z.string().optional(),
        policy: z.string().optional(),
        exposedBy: z.string().optional(),
      })
      .describe("Which targets were selected."),
    expiresAt: instant.describe("Until when the preview can be confirmed."),
    counts,
    waits: z
      .object({
        targets: z.number().describe("How many of the targets that have begun wait."),
        why: z.string().describe("What most of them wait for."),
      })
      .optional()
      .describe("Absent when no target that has begun waits."),
    summary,
    estimate,
    remainingSeconds: z
      .number()
      .optional()
      .describe(
        "Until the last rotation ends, if nothing fails; of a preview, after it is confirmed. Absent while targets wait (`waits`), because nobody knows how long.",
      ),
    giveUpAfter: z
      .number()
      .describe("Milliseconds for which the breach waits for a rotation that has begun."),
    confirmed: act.optional(),
    force: z.boolean().optional().describe("Whether pauses do not delay the rotations."),
    liftFreezes: z.boolean().optional().describe("Whether no freeze delays the rotations."),
    paused: act.optional().describe("The last pause."),
    resumed: act.optional(),
    cancelled: act.optional(),
    endedAt: instant.optional(),
  })
  .meta({
    id: "Breach",
    description: "The rotation of many targets at once, because somebody may have their secrets.",
  });

export const unreadableBreach = z
  .object({ id: z.string(), state: z.literal("unreadable"), why: z.string() })
  .meta({
    id: "UnreadableBreach",
    description: "A breach that this version of Keyturn cannot read.",
  });

export const breachTarget = z
  .object({
    target: targetId,
    place: z.number().describe("Its place in the order, from 1."),
    why: z.string().describe("Why it has this place: how exposed its secret is."),
    type: z.string(),
    server: z.string().describe("The host and the port."),
    accounts: list(z.string()),
    hasGap: z
      .boolean()
      .describe(
        "Whether consumers are refused for a while, because there is neither a second account nor a second password.",
      ),
    keepsOldPassword: z
      .boolean()
      .describe("Whether the old password of the pair works until the next rotation."),
    consumers: list(z.string()).describe("At most 100."),
    obstacles: list(z.object({ kind: obstacle, why: z.string() })).describe(
      "What could keep the target from being rotated when the preview was made.",
    ),
    state: z
      .enum(itemStates)
      .describe(
        "`waiting`: not begun. `begun`: queued or under way. `failed`: Keyturn tries again by itself. `blocked`: a person must act. `unfinished`: not rotated in time; Keyturn goes on. `left`: no rotation was requested.",
      ),
    begunAt: instant.optional(),
    rotationId: rotationId.optional(),
    waitsFor: z.string().optional().describe("What its rotation waits for now."),
    endedAt: instant.optional().describe("When the breach learnt the outcome."),
    rotatedAt: instant.optional().describe("When the rotation ended."),
    version: versionRef.optional().describe("The version that the rotation published."),
    oldPasswordWorks: z
      .boolean()
      .optional()
      .describe("Whether the password that was published before still works."),
    failure: failure.optional(),
    outcome: z.string().optional().describe("Why it was not rotated, or what is left to do."),
    nextTry: instant.optional().describe("When Keyturn tries again by itself."),
  })
  .meta({
    id: "BreachTarget",
    description: "One line of the preview, the progress and the report.",
  });
