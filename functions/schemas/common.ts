import { z } from "zod";
import { formatDuration, isTargetId, parseDuration, parseInstant } from "../../shared/app.ts";
import { unprintable } from "../http/printable-text.ts";
import { ulidPattern } from "../http/ulid.ts";

/** Milliseconds that a caller's clock may be ahead of the app's. */
const maxClockSkewMs = 5 * 60 * 1_000;

const targetError =
  "The target id must be 1 to 63 lower-case letters, digits or hyphens, and must not start with a hyphen.";

export const targetId = z
  .string(targetError)
  .refine(isTargetId, targetError)
  .meta({
    id: "TargetId",
    description: "The id of a target in the configuration.",
    pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
    examples: ["orders-db"],
  });

/** The id of something that Keyturn made. `what` is its name in the message. */
export const ulid = (what: string) => {
  const error = `The ${what} id must be a ULID: 26 digits and capital letters.`;
  return z
    .string(error)
    .regex(ulidPattern, error)
    .meta({ examples: ["01JQ0000000000000000000000"] })
    .describe(`The id of a ${what}, a ULID.`);
};

export const rotationId = ulid("rotation").meta({ id: "RotationId" });

/** A list of ids in a body. */
export const targetList = (max: number) => {
  const error = `\`targets\` must be a list of 1 to ${max} ids of targets.`;
  return z.array(targetId, error).min(1, error).max(max, error);
};

const targetParam = targetId.describe("The id of a target in the configuration.");

export const targetParams = z.strictObject({ target: targetParam });
export const rotationParams = z.strictObject({
  target: targetParam,
  rotation: rotationId.describe("The id of a rotation."),
});

/** A moment in an answer. */
export const instant = z.iso.datetime().meta({
  id: "Instant",
  description: "A moment in UTC, in ISO 8601 with milliseconds.",
  examples: ["2026-12-20T18:00:00.000Z"],
});

export const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

/** A moment that a caller sends: a day, or a time with an offset. */
export const moment = (error: string) =>
  z
    .string(error)
    .meta({ examples: ["2026-12-20", "2026-12-20T18:00:00Z"] })
    .transform((text, context) => parseInstant(text) ?? reject(context, error));

/** A moment that is over. */
export const pastMoment = (field: string) =>
  moment(`\`${field}\` must be a time such as "2026-12-20T18:00:00Z".`).refine(
    (at) => Date.parse(at) <= Date.now() + maxClockSkewMs,
    `\`${field}\` must not be in the future.`,
  );

/** Milliseconds, sent as a whole number and a unit. */
export const duration = (field: string, maxMs: number) => {
  const error = `\`${field}\` must be a duration such as "0s", "30m" or "24h", at most ${formatDuration(maxMs)}.`;
  return z
    .string(error)
    .meta({ examples: ["0s", "30m", "24h"] })
    .transform((text, context) => {
      const milliseconds = parseDuration(text);
      if (milliseconds === undefined || milliseconds > maxMs) return reject(context, error);
      return milliseconds;
    });
};

/** A text of 1 to 200 characters for people. `what` completes "`field` must contain …". */
export const sentence = (field: string, what: string) => {
  const error = `\`${field}\` must contain ${what}, in 1 to 200 characters.`;
  return z
    .string(error)
    .regex(/^.{1,200}$/su, error)
    .refine(
      (text) => !unprintable.test(text),
      `\`${field}\` must contain ${what}, without control or invisible characters.`,
    )
    .meta({ minLength: 1, maxLength: 200 });
};

const ticketError =
  "`ticket` must be the id of a ticket: 1 to 100 letters, digits and other visible ASCII characters, without spaces.";

/** Why the caller wants a change. Every request that changes something takes both; the configuration may require them. */
export const justification = {
  reason: sentence("reason", "the reason for the request")
    .optional()
    .describe("Why, for people and auditors. The configuration may require it (`api.require`)."),
  ticket: z
    .string(ticketError)
    .regex(/^[\x21-\x7e]{1,100}$/, ticketError)
    .optional()
    .describe(
      "The id of the ticket of another system, such as INC0007. The configuration may require it (`api.require`, `api.ticketPattern`).",
    ),
};

/** The same in answers. */
export const givenJustification = {
  reason: z.string().optional().describe("The reason that the caller gave."),
  ticket: z.string().optional().describe("The ticket that the caller gave."),
};

const idempotencyError = "`Idempotency-Key` must be 1 to 200 visible ASCII characters.";

/** The headers of every request that changes something. */
export const keyedHeaders = z.strictObject({
  "idempotency-key": z
    .string(idempotencyError)
    .regex(/^[\x21-\x7e]{1,200}$/, idempotencyError)
    .optional()
    .describe(
      "1 to 200 visible ASCII characters that the caller chooses. A request that is repeated with the same key takes effect once, and gets the same answer.",
    ),
});

const limitError = "`limit` must be a number from 1 to 100.";

export const limit = z
  .string(limitError)
  .regex(/^\d{1,3}$/, limitError)
  .transform(Number)
  .refine((value) => value >= 1 && value <= 100, limitError)
  .meta({
    override: ({ jsonSchema }) => {
      delete jsonSchema.pattern;
      Object.assign(jsonSchema, { type: "integer", minimum: 1, maximum: 100 });
    },
  });

/** The number of entries of a page, for lists that always have pages. */
const usualLimit = 20;

/** The cursor of a list. Each list checks its own. */
export const cursor = z
  .string()
  .optional()
  .describe("The cursor in `next` of the page before. Default: the first page.");

/** The query of a list that always has pages. */
export const pageQuery = z.strictObject({
  limit: limit
    .default(usualLimit)
    .describe(`The number of entries of a page. Default: ${usualLimit}.`),
  cursor,
});

export const next = z
  .string()
  .optional()
  .describe(
    "The path of the next page, with its cursor and the same filters. Absent on the last page.",
  );

export const versionRef = z
  .object({
    vault: z.string().describe("The name of the vault in the configuration."),
    name: z.string().describe("The name of the secret."),
    version: z.string().describe("The id of the version."),
  })
  .readonly()
  .meta({
    id: "SecretVersion",
    description: "A version of a secret in a vault, never its value.",
  });

function reject(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
