import { z } from "zod";
import { durationOf, formatDuration, instantOf, isTargetId } from "../../shared/app.ts";
import { unprintable } from "../http/printable-text.ts";

/** Milliseconds that a caller's clock may be ahead of the app's. */
const maxClockSkewMs = 5 * 60 * 1_000;

const targetError =
  "The target id must be 1 to 63 lower-case letters, digits or hyphens, and must not start with a hyphen.";

export const targetId = z
  .string(targetError)
  .refine(isTargetId, targetError)
  .meta({ id: "TargetId", pattern: "^[a-z0-9][a-z0-9-]{0,62}$", examples: ["orders-db"] })
  .describe("The id of a target in the configuration.");

const rotationError = "The rotation id must be a ULID: 26 digits and capital letters.";

export const rotationId = z
  .string(rotationError)
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, rotationError)
  .meta({ id: "RotationId", examples: ["01JQ0000000000000000000000"] })
  .describe("The id of a rotation, a ULID.");

export const targetParams = z.strictObject({ target: targetId });
export const rotationParams = z.strictObject({ target: targetId, rotation: rotationId });

/** A moment in an answer. */
export const instant = z.iso
  .datetime()
  .meta({ id: "Instant", examples: ["2026-12-20T18:00:00.000Z"] })
  .describe("A moment in UTC, with milliseconds.");

export const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

/** A moment that a caller sends: a day, or a time with an offset. */
export const moment = (error: string) =>
  z
    .string(error)
    .transform((text, context) => toMoment(text) ?? reject(context, error))
    .meta({ examples: ["2026-12-20", "2026-12-20T18:00:00Z"] });

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
    .transform((text, context) => {
      const milliseconds = durationOf(text);
      if (milliseconds === undefined || milliseconds > maxMs) return reject(context, error);
      return milliseconds;
    })
    .meta({ examples: ["0s", "30m", "24h"] });
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
  })
  .describe("The number of entries of a page.");

/** The cursor of a list. Each list checks its own. */
export const cursor = z
  .string()
  .describe("From `next` of the page before. Absent: the first page.");

export const next = z
  .string()
  .optional()
  .describe("The path of the next page, with its cursor. Absent on the last page.");

export const versionRef = z
  .object({ vault: z.string(), name: z.string(), version: z.string() })
  .readonly()
  .meta({ id: "SecretVersion" })
  .describe("A version of a secret in a vault, never its value.");

function toMoment(text: string): string | undefined {
  return instantOf(text);
}

function reject(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
