import { z } from "zod";
import { targetIdPattern } from "../../core/target.ts";
import { formatDuration, parseDuration } from "../../core/time.ts";
import { addressBegin, addressMessage, findAddressProblem } from "../web-address.ts";

/** Makes a field optional. An omitted field is absent from the result, not undefined. */
export const maybe = <Type extends z.ZodType>(type: Type) => z.exactOptional(type);

/** The name of a target, vault, policy or consumer. */
export const name = z
  .string()
  .regex(
    targetIdPattern,
    "must be 1 to 63 lower-case letters, digits and hyphens, and must not begin with a hyphen",
  );

/** The name of a secret, by the rule of Key Vault. */
export const secretName = z
  .string()
  .regex(
    /^[0-9A-Za-z-]{1,127}$/,
    "must be the name of a secret: 1 to 127 letters, digits and hyphens",
  );

const vaultOfSecret = name
  .optional()
  .describe("Name of the vault that holds the secret. Default: the only configured vault.");

/** A secret by name, with the vault that holds it. */
export const secretPlace = z.strictObject({
  secret: secretName.describe("Name of the secret in the vault."),
  vault: vaultOfSecret,
});

/** A secret by its name alone, or with the vault that holds it. */
export const secretOrName = z.union([secretName, secretPlace], {
  error: "must be the name of a secret, or a mapping with secret and vault",
});

const durationMessage = "must be a duration such as 30s, 10m, 4h or 90d";

/** Returns the message for a number without a unit, or undefined for any other input. */
export function withoutUnit(input: unknown): string | undefined {
  if (!/^\d{1,9}$/.test(String(input))) return undefined;
  return `needs a unit; write ${String(input)}d for days, ${String(input)}h for hours, ${String(input)}m for minutes`;
}

/** A duration such as `90d`, parsed to milliseconds. The bounds are in milliseconds. */
export function duration(minMs: number, maxMs: number, message = durationMessage) {
  const range =
    minMs === 0
      ? `must be at most ${formatDuration(maxMs)}`
      : `must be between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`;
  const explain = ({ input }: { readonly input?: unknown }) => withoutUnit(input) ?? message;
  return z
    .string({ error: explain })
    .regex(/^\d{1,9}(ms|s|m|h|d|w)$/, { error: explain })
    .transform((text) => parseDuration(text) ?? 0)
    .refine((milliseconds) => milliseconds >= minMs && milliseconds <= maxMs, range);
}

/** An https address. Plain http is allowed for loopback addresses only, which emulators use. */
export const webAddress = z
  .string()
  .regex(addressBegin, { error: addressMessage, abort: true })
  .superRefine((text, context) => {
    const problem = findAddressProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });
