import { z } from "zod";
import { defaultLimits, maxPerMinute } from "../../core/limits/token-bucket.ts";
import { maybe } from "./fields.ts";

const patternMessage =
  "must be 1 to 100 visible characters, such as INC*; `*` matches any characters and `?` matches one";

const pattern = z.string().regex(/^[\x21-\x7e]{1,100}$/, patternMessage);

const perMinute = z.int().min(1).max(maxPerMinute, `must be at most ${maxPerMinute}`);

export const apiSchema = z.strictObject({
  require: maybe(z.array(z.enum(["reason", "ticket"]))).describe(
    "What every request that changes something must have, except reports of uses. Default: nothing.",
  ),
  ticketPattern: maybe(
    z.union([pattern.transform((one) => [one]), z.array(pattern).min(1).max(20)], {
      error: patternMessage,
    }),
  ).describe(
    "One pattern or a list. A ticket must match one of them: `*` matches any characters, `?` matches one. Default: any ticket.",
  ),
  limits: maybe(
    z.strictObject({
      reads: maybe(perMinute).describe(`Requests by GET. Default: ${defaultLimits.reads}.`),
      writes: maybe(perMinute).describe(`Requests by POST. Default: ${defaultLimits.writes}.`),
    }),
  ).describe(
    "How many requests each caller may send in a minute, to all instances together. More are answered 429.",
  ),
});
