import { z } from "zod";
import { dialects } from "../../core/secrets/dialects.ts";
import { defaultPasswordRules } from "../../core/secrets/password.ts";
import { maybe } from "./fields.ts";

const characters = z
  .string()
  .regex(/^[\x21-\x7e]*$/, "must contain only printable ASCII characters, without spaces")
  .max(94);

const count = z.int().min(0).max(64);

export const passwordFields = z
  .strictObject({
    length: z
      .int()
      .min(16)
      .max(128)
      .default(defaultPasswordRules.length)
      .describe("Number of characters."),
    symbols: characters
      .refine((text) => !/[A-Za-z0-9]/.test(text), "must not contain letters or digits")
      .default(defaultPasswordRules.symbols)
      .describe("Symbols that passwords may contain, besides letters and digits."),
    exclude: characters
      .default(defaultPasswordRules.exclude)
      .describe("Characters that passwords must not contain."),
    atLeast: maybe(
      z.strictObject({
        lower: maybe(count.describe("Lower-case letters.")),
        upper: maybe(count.describe("Upper-case letters.")),
        digits: maybe(count.describe("Digits.")),
        symbols: maybe(count.describe("Symbols.")),
      }),
    ).describe("Minimum number of characters of each class. Default: one of each."),
    noLookAlikes: maybe(z.boolean()).describe("Excludes characters that look alike: 0O1lI|5S2Z8B."),
    noRepeats: maybe(z.boolean()).describe("No character occurs twice."),
    startWithLetter: maybe(z.boolean()).describe("Passwords begin with a letter. Default: true."),
    forbidden: maybe(z.array(z.string().min(1).max(128)).max(100)).describe(
      "Words that passwords must not contain, in upper or lower case. Passwords never contain the account name.",
    ),
    dialects: maybe(z.array(z.enum(dialects)).max(dialects.length)).describe(
      "Formats of connection strings and files in which passwords must work without quotes.",
    ),
  })
  .describe("Rules for new passwords. Together they must leave at least 128 bits of entropy.");
