import { z } from "zod";
import { limitOf, planFormats } from "../../shared/app.ts";
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
    .transform((text, context) => {
      const found = limitOf(text);
      if (found) return found;
      context.addIssue({ code: "custom", message: error });
      return z.NEVER;
    })
    .meta({ examples: ["10/10s"] });
};

const shared = {
  from: when("from").optional().describe("The begin of the plan. Default: now."),
  to: when("to").optional().describe("At most 366 days after `from`. Default: 100 days after it."),
  targets: z
    .string()
    // The host joins repeated query parameters with a comma, which no target id contains.
    .refine((text) => !text.includes(","), "`targets` must be a single pattern. Give it once.")
    .optional()
    .describe("Only targets whose id matches; `*` stands for any characters."),
  "per-server": rate("per-server")
    .optional()
    .describe("Limit of rotations on one server. Default: `10/10s`."),
  "per-vault": rate("per-vault")
    .optional()
    .describe("Limit of new versions of secrets in one vault. Default: `300/10s`."),
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

const limits = z.object({
  perServer: z.object({ count: z.number(), within: z.number() }),
  perVault: z.object({ count: z.number(), within: z.number() }),
});

const plannedRotation = z
  .object({
    targetId,
    at: instant,
    policy: z.string(),
    vault: z.string(),
    server: z.string().optional(),
    why: z.string(),
  })
  .meta({ id: "PlannedRotation" });

const plan = z
  .object({
    targets: z.number().describe("The number of targets."),
    from: instant,
    to: instant,
    policies: list(z.object({ name: z.string(), targets: z.number(), entropyBits: z.number() })),
    rotations: list(plannedRotation),
    later: list(plannedRotation).describe("The first rotations after the end of the plan."),
    never: list(z.object({ targetId, why: z.string() })),
    tooOld: list(z.object({ targetId, since: instant, until: instant })),
    limits,
    collisions: list(
      z.object({
        kind: z.enum(["server", "vault"]),
        name: z.string(),
        from: instant,
        to: instant,
        most: z.number(),
        limit: z.number(),
      }),
    ),
    clockChanges: list(
      z.object({ timeZone: z.string(), at: instant, by: z.number(), rotations: z.number() }),
    ),
  })
  .meta({ id: "Plan" });

const comparison = z
  .object({
    from: instant,
    to: instant,
    differences: list(
      z.object({
        targetId,
        kind: z.enum(["earlier", "later", "appears", "vanishes", "same start"]),
        before: instant.optional(),
        after: instant.optional(),
        countBefore: z.number(),
        countAfter: z.number(),
        why: z.string(),
      }),
    ),
    soon: list(targetId),
    unchanged: z.number(),
    rotationsBefore: z.number(),
    rotationsAfter: z.number(),
    summary: z.string(),
    warnings: list(z.string()).optional(),
  })
  .meta({ id: "PlanComparison" });

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
  summary: "List the rotations to come",
  query: withOrder(
    z.strictObject({
      ...shared,
      format: z.enum(planFormats).default("json"),
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
  summary: "Show what an edited configuration would change",
  description:
    "Compares the current plan with that of the edited keyturn.yaml in the body. Changes nothing.",
  query: withOrder(
    z.strictObject({
      ...shared,
      format: z.enum(editFormats).default("json"),
    }),
  ),
  body: { text: z.string(), types: ["text/yaml", "application/yaml"], maxBytes: maxConfigBytes },
  answers: {
    200: {
      description: "The comparison.",
      content: { "application/json": comparison, "text/plain": z.string() },
    },
  },
  problems: ["invalid-configuration", "configuration-too-costly", "too-many-plans"],
});
