import { z } from "zod";
import { dialects } from "../../core/secrets/dialects.ts";
import { defaultPasswordRules } from "../../core/secrets/password.ts";
import { maybe } from "./fields.ts";

const characters = z
  .string()
  .regex(/^[\x21-\x7e]*$/, "must hold only printable ASCII characters, and no space")
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
      .refine((text) => !/[A-Za-z0-9]/.test(text), "must hold no letters and no digits")
      .default(defaultPasswordRules.symbols)
      .describe("Symbols that may occur besides letters and digits."),
    exclude: characters
      .default(defaultPasswordRules.exclude)
      .describe("Characters that must not occur."),
    atLeast: maybe(
      z.strictObject({
        lower: maybe(count.describe("Lower-case letters.")),
        upper: maybe(count.describe("Upper-case letters.")),
        digits: maybe(count.describe("Digits.")),
        symbols: maybe(count.describe("Symbols.")),
      }),
    ).describe("How many of a class there must be. Default: one of each."),
    noLookAlikes: maybe(z.boolean()).describe(
      "Leaves out what is mistaken in print: 0O1lI|5S2Z8B.",
    ),
    noRepeats: maybe(z.boolean()).describe("No character occurs twice."),
    startWithLetter: maybe(z.boolean()).describe("Begins with a letter. Default: true."),
    forbidden: maybe(z.array(z.string().min(1).max(128)).max(100)).describe(
      "Words that must not occur, in upper or lower case, besides the name of the account.",
    ),
    dialects: maybe(z.array(z.enum(dialects)).max(dialects.length)).describe(
      "Connection strings and files that the password must survive without being quoted.",
    ),
  })
  .describe("How new passwords look. Together the rules must leave 128 bits of entropy.");
