import { z } from "zod";
import { reasons, workingPhases } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import {
  cursor,
  givenJustification,
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
import { waits } from "./requested.ts";
import { failure, force, lift } from "./rotations.ts";

const exposure = z
  .object({
    at: instant.describe("When the secret was seen."),
    lastAt: instant.optional().describe("When it was seen last, if there are later reports."),
    by: z.string().describe("Who saw it."),
    from: z.string().optional().describe("Where it was seen."),
    kind: z.enum(["exposure", "breach"]),
    alsoBy: list(z.string()).optional().describe("Who else saw the same secret; at most ten."),
    version: z.string().optional().describe("The id of the version that was seen."),
    ...givenJustification,
  })
  .describe("The first report since the last change that somebody saw the secret.");

const openRotation = z
  .object({
    id: rotationId,
    phase: z
      .enum([...workingPhases, "blocked"])
      .describe("`blocked`: no stored password is known to work. A person must act."),
    account: z.string().describe("The account whose password is changed."),
    cause: z.enum(reasons).describe("Why it was requested."),
    ...givenJustification,
    startedAt: instant,
    nextAttemptAt: instant.optional().describe("When the next attempt starts, while it waits."),
    heldBy: z
      .string()
      .optional()
      .describe("The window, freeze or vault that delays it until then."),
    lift: lift.optional(),
    force: force.optional(),
  })
  .describe("The rotation under way.");

export const pause = z
  .object({
    reason: z.string(),
    ticket: z.string().optional(),
    by: z.string(),
    at: instant,
    until: instant,
  })
  .meta({ id: "Pause" })
  .describe(
    "Who paused the target, when, why and until when. Until then no rotation and no retirement of the target starts.",
  );

const slot = z.object({
  account: z.string(),
  current: versionRef.optional().describe("The version with the present password of the account."),
  previous: versionRef.optional().describe("The version before it."),
  abandoned: versionRef
    .optional()
    .describe(
      "The pending version of the latest failed rotation whose password the account may have.",
    ),
  abandonedBefore: list(versionRef)
    .optional()
    .describe("Those of earlier failed rotations, newest first; at most four."),
  sameAs: list(z.string())
    .optional()
    .describe("The ids of other versions with the same password as `current`; at most five."),
  previousSameAs: list(z.string())
    .optional()
    .describe("The ids of other versions with the same password as `previous`; at most five."),
  changedAt: instant.optional().describe("The last change of its password."),
  secretIds: list(z.string())
    .optional()
    .describe(
      "The ids that the system gave to secrets of the account which Keyturn has stored and not ended; at most fifty.",
    ),
  unsettledSince: instant
    .optional()
    .describe(
      "When Keyturn announced a request that replaces the secret of the account, if the answer to it was lost.",
    ),
});

const health = z.enum(["new", "healthy", "failing", "blocked", "unreadable"]);

const retirement = z
  .object({
    account: z
      .string()
      .describe(
        "The account of the superseded password. If it is `active`, only that password ends; the published one stays.",
      ),
    at: instant.describe("When the password ends, or the account is checked or tried again."),
    waitsFor: z.string().describe("What the retirement waits for."),
  })
  .describe("The end of the superseded password.");

const scheduled = z.object({
  rotation: rotationId,
  notBefore: instant.describe("It starts at or after this moment."),
  requestedBy: z.string(),
  cause: z.enum(reasons),
  ...givenJustification,
});

export const target = z
  .object({
    id: targetId,
    type: z.string().describe("The type of the system, as configured."),
    health: health.describe(
      "`new`: not adopted yet. `failing`: the last rotation failed. `blocked`: a person must act. `unreadable`: this version of Keyturn cannot read the record, and does nothing about the target.",
    ),
    unreadable: z.string().optional().describe("Why the record cannot be read, and what to do."),
    accounts: list(z.string()).describe("One account, or the two accounts of a pair."),
    changedBy: z
      .enum(["self", "admin", "identity"])
      .describe("Who changes the password: the account, an administrator or the app's identity."),
    secret: z
      .object({
        vault: z.string().describe("The name of the vault in the configuration."),
        name: z.string().describe("The name of the secret."),
      })
      .describe("The secret that consumers read."),
    policy: z.string().describe("The name of the policy that applies."),
    policyWhy: z.string().describe("Why this policy applies."),
    policyFingerprint: z
      .string()
      .describe("Identifies the content of the policy. Each rotation has the one it began under."),
    passwordEntropyBits: z.number().describe("The entropy of the passwords that the policy makes."),
    tags: z.record(z.string(), z.string()).describe("The tags of the target, as configured."),
    active: z.string().optional().describe("The account whose password consumers read."),
    published: versionRef.optional().describe("The version that consumers read."),
    secretEndsAt: instant
      .optional()
      .describe(
        "When the system ends the published secret. Absent if it does not, or nobody knows when.",
      ),
    adoptedAt: instant.optional().describe("When Keyturn adopted the target."),
    verifiedAt: instant.optional().describe("When a log-in last proved the published secret."),
    lastSuccessAt: instant.optional().describe("The end of the last successful rotation."),
    changedAt: instant.optional().describe("The last change, by Keyturn or a person."),
    exposure: exposure.optional(),
    lastUsedAt: instant.optional().describe("The last reported use, to the hour."),
    lastUsedBy: z.string().optional().describe("Who reported that use."),
    lastFailure: failure.optional().describe("The last failure of an attempt."),
    nextDue: instant.optional().describe("When the next rotation is due."),
    dueReason: z.string().optional().describe("Why it is due then."),
    rotation: openRotation.optional(),
    pause: pause.optional().describe("The pause in force. Absent if the target is not paused."),
    queuedRotation: rotationId
      .optional()
      .describe("The rotation that a request waits for. It may be the one under way."),
    ...waits,
    scheduled: list(scheduled)
      .optional()
      .describe("Rotations that people scheduled for a date, the first one first."),
    valueDue: z
      .object({
        since: instant.describe("Since when it is due."),
        why: z.string().describe("What made it due."),
        remindAt: instant.describe("When Keyturn reminds people next."),
      })
      .optional()
      .describe("A new value that people must hand over."),
    refresh: z
      .object({
        version: z.string().describe("The published version."),
        at: instant.describe("When Keyturn tries next."),
        failures: z.number().describe("How often a consumer was away."),
      })
      .optional()
      .describe(
        "A version that no rotation has published, and of which consumers are to be notified.",
      ),
    retirement: retirement.optional(),
    slots: list(slot).describe("The known versions of each account."),
  })
  .meta({ id: "Target", description: "The configuration and the state of a target." });

const explainedTarget = target
  .extend({
    passedOver: list(
      z.object({
        at: instant.describe("The moment."),
        why: z.string().describe("Why it does not apply."),
      }),
    ).describe("Other moments at which the target might have been due."),
    policiesPassedOver: list(
      z.object({
        policy: z.string().describe("The name of the policy."),
        why: z.string().describe("Why it does not apply."),
      }),
    ).describe("Policies that do not apply."),
  })
  .meta({
    id: "ExplainedTarget",
    description: "A target, with the moments and policies that do not apply.",
  });

const tagError = "`tag` must be a name and a value such as `team:payments`.";

/** A name, which has no comma: a list of names would match nothing. */
const single = (name: string) => {
  const error = `\`${name}\` must be a single value without a comma. Give it once.`;
  return z.string(error).regex(/^[^,]+$/, error);
};

/** Filters of targets. Several filters must all match. */
export const targetFilters = {
  health: health.optional().describe("Only targets with this health."),
  policy: single("policy").optional().describe("Only targets under this policy."),
  type: single("type").optional().describe("Only targets of this type."),
  vault: single("vault").optional().describe("Only targets that publish into this vault."),
  owner: z.string().optional().describe("Only targets whose tag `owner` has this value."),
  tag: z
    .string(tagError)
    .regex(/^[^:]+:[\s\S]+$/, tagError)
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
  group: "Targets",
  summary: "List targets in the order of the configuration",
  description:
    "Without filters, every target of the configuration. A target must match all of the given filters.",
  query: z.strictObject({
    limit: limit
      .optional()
      .describe("The number of entries of a page. Default: all targets in one page."),
    cursor,
    ...targetFilters,
  }),
  answers: {
    200: {
      description: "A page of targets.",
      content: {
        "application/json": z.object({
          targets: list(target).describe("The targets of the page."),
          next,
        }),
      },
    },
  },
  problems: [],
});

export const getTarget = endpoint({
  route: "api-target",
  group: "Targets",
  summary: "Show the state of one target",
  params: targetParams,
  answers: {
    200: {
      description:
        "The target. A target whose record this version cannot read is shown too, with the health `unreadable`.",
      content: { "application/json": explainedTarget },
    },
  },
  problems: ["target-not-found"],
});
