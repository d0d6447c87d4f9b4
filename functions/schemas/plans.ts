import { z } from "zod";
import { parseLimit, planFormats } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { instant, list, moment, targetId } from "./common.ts";

/** Milliseconds. Longer periods take too long to compute. */
const maxPeriodMs = 366 * 24 * 60 * 60 * 1_000;

/** Bytes of an edited configuration. */
const maxConfigBytes = 1024 * 1024;

const when = (name: string) =>
  moment(`\`${name}\` must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".`);

const rate = (name: string) => {
  const error = `\`${name}\` must be a number and a duration such as 10/10s.`;
  return z
    .string(error)
    .meta({ examples: ["10/10s"] })
    .transform((text, context) => {
      const found = parseLimit(text);
      if (found) return found;
      context.addIssue({ code: "custom", message: error });
      return z.NEVER;
    });
};

const shared = {
  from: when("from")
    .optional()
    .describe("The start of the plan: a day or an instant. Default: now."),
  to: when("to")
    .optional()
    .describe(
      "The end of the plan: a day or an instant, at most 366 days after `from`. Default: 100 days after `from`.",
    ),
  targets: z
    .string()
    // The host joins repeated query parameters with a comma, which no target id contains.
    .refine((text) => !text.includes(","), "`targets` must be a single pattern. Give it once.")
    .optional()
    .describe(
      "Only targets whose id matches. `*` stands for any characters. Default: all targets.",
    ),
  "per-server": rate("per-server")
    .optional()
    .describe(
      "Limit of rotations on one server. The plan reports when it is exceeded. Default: `10/10s`.",
    ),
  "per-vault": rate("per-vault")
    .optional()
    .describe(
      "Limit of new versions of secrets in one vault. The plan reports when it is exceeded. Default: `300/10s`.",
    ),
};

interface Period {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

function lengthOf({ from, to }: Period): number | undefined {
  if (to === undefined) return undefined;
  return Date.parse(to) - (from === undefined ? Date.now() : Date.parse(from));
}

const editFormats = ["text", "json"] as const;

const rateLimit = z
  .object({
    count: z.number().describe("The limit."),
    within: z.number().describe("The length of the period, in milliseconds."),
  })
  .meta({ id: "RateLimit", description: "At most `count` in any period of `within`." });

const plannedRotation = z
  .object({
    targetId,
    at: instant.describe("When it starts."),
    policy: z.string().describe("The name of the policy."),
    vault: z.string().describe("The name of the vault."),
    server: z.string().optional().describe("The host of the target, if it has one."),
    why: z.string().describe("Why it starts then."),
  })
  .meta({ id: "PlannedRotation", description: "A rotation to come." });

const planPolicy = z.object({
  name: z.string(),
  targets: z.number().describe("The number of targets with this policy and its password rules."),
  entropyBits: z.number().describe("The entropy of its passwords."),
});

const tooOld = z.object({
  targetId,
  since: instant.describe("From when."),
  until: instant.describe("Until when: its rotation, or the end of the plan."),
});

const collision = z.object({
  kind: z.enum(["server", "vault"]),
  name: z.string().describe("The host of the server, or the name of the vault."),
  from: instant,
  to: instant,
  most: z.number().describe("The highest count in the period of the limit."),
  limit: z.number().describe("The limit."),
});

const clockChange = z.object({
  timeZone: z.string(),
  at: instant,
  by: z.number().describe("The shift in milliseconds. Positive: clocks go forward."),
  rotations: z.number().describe("Rotations within half a day of it that use the time zone."),
});

const plan = z
  .object({
    targets: z.number().describe("The number of targets."),
    from: instant,
    to: instant,
    policies: list(planPolicy).describe("The policies of the targets."),
    rotations: list(plannedRotation).describe("The rotations, sorted by their start."),
    later: list(plannedRotation).describe(
      "For each target without a rotation in the plan, its first one after the end.",
    ),
    never: list(
      z.object({ targetId, why: z.string().describe("Why it has no rotation.") }),
    ).describe("Targets without a rotation in the next ten years."),
    tooOld: list(tooOld).describe("Secrets that get older than their policy allows."),
    limits: z
      .object({
        perServer: rateLimit.describe("For rotations on one server."),
        perVault: rateLimit.describe("For new versions in one vault."),
      })
      .describe("The limits that the plan was checked against."),
    collisions: list(collision).describe("Times in which rotations exceed a limit."),
    clockChanges: list(clockChange).describe("Changes of clocks in time zones that policies use."),
  })
  .meta({ id: "Plan", description: "Every rotation to come in a period." });

const difference = z.object({
  targetId,
  kind: z
    .enum(["earlier", "later", "appears", "vanishes", "same start"])
    .describe(
      "`appears`, `vanishes`: only one side has the target or its next rotation. `same start`: only rotations after the next one differ.",
    ),
  before: instant.optional().describe("The next rotation without the edit."),
  after: instant.optional().describe("The next rotation with the edit."),
  countBefore: z.number().describe("The number of rotations without the edit."),
  countAfter: z.number().describe("The number of rotations with the edit."),
  why: z.string().describe("Why they differ."),
});

const comparison = z
  .object({
    from: instant,
    to: instant,
    differences: list(difference).describe("One for each target that the edit affects."),
    soon: list(targetId).describe("Targets that start within 24 hours only because of the edit."),
    unchanged: z.number().describe("The number of targets that the edit does not affect."),
    rotationsBefore: z.number().describe("The number of all rotations without the edit."),
    rotationsAfter: z.number().describe("The number of all rotations with the edit."),
    summary: z.string().describe("The differences in one sentence."),
    warnings: list(z.string()).optional().describe("Warnings about the edited configuration."),
  })
  .meta({ id: "PlanComparison", description: "What an edit changes in the plan." });

const formatField = "The format of the answer";

const withOrder = <Schema extends z.ZodObject>(schema: Schema) =>
  schema.check((context) => {
    const length = lengthOf(context.value);
    if (length === undefined) return;
    const message =
      length <= 0
        ? "`to` must be later than `from` (default: now)."
        : "`to` must be at most 366 days after `from`.";
    if (length <= 0 || length > maxPeriodMs) {
      context.issues.push({ code: "custom", message, input: context.value });
    }
  });

export const getPlan = endpoint({
  route: "api-plan",
  group: "Plans",
  summary: "List the rotations to come",
  description: "Computed from the configuration and the journal.",
  query: withOrder(
    z.strictObject({
      ...shared,
      format: z
        .enum(planFormats)
        .default("json")
        .describe(`${formatField}. \`ics\`: for calendar programs.`),
    }),
  ),
  answers: {
    200: {
      description: "The plan.",
      content: {
        "application/json": plan,
        "text/plain": z.string(),
        "text/calendar": z.string(),
      },
    },
  },
  problems: ["too-many-plans"],
});

export const planEdit = endpoint({
  route: "api-plan-edit",
  group: "Plans",
  summary: "Show what an edited configuration would change",
  description:
    "Compares the current plan with that of the edited `keyturn.yaml` in the body. Nothing is put into force.",
  query: withOrder(
    z.strictObject({
      ...shared,
      format: z.enum(editFormats).default("json").describe(`${formatField}.`),
    }),
  ),
  body: {
    text: z.string().describe("The edited `keyturn.yaml`, at most 1 MiB."),
    types: ["text/yaml", "application/yaml"],
    maxBytes: maxConfigBytes,
  },
  answers: {
    200: {
      description: "The comparison.",
      content: { "application/json": comparison, "text/plain": z.string() },
    },
  },
  problems: ["invalid-configuration", "configuration-too-costly", "too-many-plans"],
});
