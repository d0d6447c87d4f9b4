import { z } from "zod";
import { targetIdPattern } from "../../core/target.ts";
import { formatDuration, parseDuration } from "../../core/time.ts";
import { addressBegin, addressMessage, addressProblem } from "../web-address.ts";

/** A field that may be left out; then it is not there at all. */
export const maybe = <Type extends z.ZodType>(type: Type) => z.exactOptional(type);

/** Names of targets, vaults, policies and consumers. */
export const name = z
  .string()
  .regex(
    targetIdPattern,
    "must be 1 to 63 lower-case letters, digits and hyphens, and begin with no hyphen",
  );

/** Key Vault's own rule for names of secrets. */
export const secretName = z
  .string()
  .regex(
    /^[0-9A-Za-z-]{1,127}$/,
    "must be the name of a secret: 1 to 127 letters, digits and hyphens",
  );

const vaultOfSecret = name
  .optional()
  .describe("The vault that holds the secret, by its name here. Default: the only vault there is.");

/** A secret by name, and the vault it is in. */
export const secretPlace = z.strictObject({
  secret: secretName.describe("Name of the secret in the vault."),
  vault: vaultOfSecret,
});

/** A secret by its bare name, or with the vault it is in. */
export const secretOrName = z.union([secretName, secretPlace], {
  error: "must be the name of a secret, or a mapping with secret and vault",
});

const durationMessage = "must be a duration such as 30s, 10m, 4h or 90d";

/** What to say of a number that nobody knows the unit of; undefined when it is something else. */
export function withoutUnit(input: unknown): string | undefined {
  if (!/^\d{1,9}$/.test(String(input))) return undefined;
  return `needs a unit; write ${String(input)}d for days, ${String(input)}h for hours, ${String(input)}m for minutes`;
}

/** Written such as `90d`; read as milliseconds. Bounds in milliseconds. */
export function duration(least: number, most: number, message = durationMessage) {
  const range =
    least === 0
      ? `must be at most ${formatDuration(most)}`
      : `must be between ${formatDuration(least)} and ${formatDuration(most)}`;
  const explain = ({ input }: { readonly input?: unknown }) => withoutUnit(input) ?? message;
  return z
    .string({ error: explain })
    .regex(/^\d{1,9}(ms|s|m|h|d|w)$/, { error: explain })
    .transform((text) => parseDuration(text) ?? 0)
    .refine((milliseconds) => milliseconds >= least && milliseconds <= most, range);
}

/** An https address; plain http only on the machine itself, as emulators have it. */
export const webAddress = z
  .string()
  .regex(addressBegin, { error: addressMessage, abort: true })
  .superRefine((text, context) => {
    const problem = addressProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });
