import { z } from "zod";
import { characterClasses, defaultPasswordRules, entropyBits } from "../core/password.ts";
import { day, second } from "../core/time.ts";
import { isRecord } from "./document.ts";
import { duration } from "./fields.ts";
import type { Finding, Path } from "./problems.ts";
import { salvage } from "./validate.ts";

/** Below this a password could be guessed offline, whatever the target does to slow it down. */
const leastBits = 128;

const characters = z
  .string()
  .regex(/^[\x21-\x7e]*$/, "must hold only printable ASCII characters, and no space")
  .max(94);

const passwordSchema = z
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
  })
  .prefault({})
  .describe("How new passwords look. Together the rules must leave 128 bits of entropy.");

const retrySchema = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("Attempts at the first distance; the second applies from then on."),
    every: duration(second, 30 * day)
      .prefault("10m")
      .describe("Distance of the first attempts."),
    thenEvery: duration(second, 30 * day)
      .prefault("6h")
      .describe("Distance of all further attempts."),
  })
  .prefault({})
  .describe("When a rotation that failed is tried again.");

export const policySchema = z
  .strictObject({
    every: duration(10 * second, 3650 * day)
      .optional()
      .describe("Greatest age of a secret; then it is rotated. This or manualOnly."),
    manualOnly: z
      .literal(true)
      .optional()
      .describe("Only a person starts a rotation. This or every."),
    password: passwordSchema,
    retry: retrySchema,
  })
  .describe("When a target is rotated, how its passwords look, how failures are retried.")
  .meta({ oneOf: [{ required: ["every"] }, { required: ["manualOnly"] }] });

/** Any part of a policy. */
export const policyDraft = policySchema.partial();

/** What is wrong with a policy beyond the shape of its fields. */
export function checkPolicy(value: unknown, path: Path): Finding[] {
  if (!isRecord(value)) return [];
  return [...checkTiming(value, path), ...checkPassword(value, path)];
}

function checkTiming(value: Record<string, unknown>, path: Path): Finding[] {
  const [timed, manual] = ["every" in value, "manualOnly" in value];
  if (timed !== manual) return [];
  const message = timed
    ? "has both every and manualOnly; take one of them out"
    : "must say every (such as 90d) or manualOnly: true";
  return [{ path, message }];
}

function checkPassword(value: Record<string, unknown>, path: Path): Finding[] {
  const password = salvage(policyDraft, value)?.password;
  if (password === undefined) return [];
  const names = ["lower-case letters", "upper-case letters", "digits", "symbols"];
  const classes = characterClasses(password);
  const emptied = names.filter((name, index) => {
    const wanted = name !== "symbols" || password.symbols !== "";
    return wanted && classes[index] === "";
  });
  const at = [...path, "password"];
  if (emptied.length > 0) {
    const message = `leaves no ${emptied.join(" and no ")}; many systems demand some`;
    return [{ path: [...at, "exclude"], message }];
  }
  const bits = entropyBits(password);
  if (bits >= leastBits) return [];
  const message = `leaves ${bits} bits of entropy and must leave ${leastBits}; make length greater`;
  return [{ path: at, message }];
}
