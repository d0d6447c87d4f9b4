import { z } from "zod";
import { deadlines } from "../../core/deadlines.ts";
import { type Policy, retireWhen } from "../../core/policy/policy.ts";
import { day, second } from "../../core/time.ts";
import { duration, maybe, withoutUnit } from "./fields.ts";
import { passwordFields } from "./password-fields.ts";
import { windowFields } from "./window-fields.ts";

const longest = 3650 * day;

const retryFields = z
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
    jitter: maybe(z.number().min(0).max(1)).describe(
      "The greatest part of a distance that is added to it. Default: 0.1.",
    ),
  })
  .describe("When a rotation that failed is tried again.");

const triggerFields = {
  every: maybe(duration(10 * second, longest)).describe(
    "Greatest age of a secret; then it is rotated.",
  ),
  headStart: maybe(duration(0, longest)).describe(
    "So much earlier it may be rotated, if a window is open then.",
  ),
  afterExposure: maybe(duration(0, longest)).describe(
    "Rotated so long after the first time somebody saw the secret since its last change.",
  ),
  // Uses are recorded to the hour.
  afterIdle: maybe(duration(day, longest)).describe(
    "Rotated when it was neither used nor changed for so long. Needs reports of its uses.",
  ),
  exposureIgnoresWindow: maybe(z.boolean()).describe(
    "Rotations after an exposure wait for no window, only for the end of a freeze.",
  ),
  exemptIdentities: maybe(z.array(z.string().min(1).max(200)).max(1000)).describe(
    "Who may see the secret without consequences. * stands for any characters, ? for one.",
  ),
  manualOnly: maybe(z.literal(true)).describe(
    "Nothing is rotated by schedule; only a person, or an exposure, starts a rotation.",
  ),
};

const expiryMessage = 'must be "none" or a duration such as 30d';

const adoptModes = z.enum(["verify", "rotate"]);

const lifeFields = {
  retire: maybe(z.enum(retireWhen)).describe(
    "grace: a superseded password of a pair ends with its grace. proof: not before nobody is seen using it, either. Default: grace.",
  ),
  timeouts: maybe(
    z.strictObject({
      connect: maybe(duration(second, deadlines.verify)).describe(
        "For a connection to the target, TLS and log-in included. Default: no limit of its own.",
      ),
      change: maybe(duration(second, deadlines.apply)).describe("For changing the secret."),
      verify: maybe(duration(second, deadlines.verify)).describe("For one log-in."),
    }),
  ).describe("How long one attempt may take, within what the engine allows."),
  adopt: maybe(
    z.union(
      [
        adoptModes.transform((mode) => ({ mode })),
        z.strictObject({
          mode: adoptModes.describe("verify: changes nothing. rotate: changes the password."),
          delay: maybe(duration(0, longest)).describe("From the adoption to the first change."),
        }),
      ],
      { error: 'must be "verify", "rotate", or a mapping with mode and delay' },
    ),
  ).describe(
    "What happens to a credential that Keyturn meets for the first time. Default: verify.",
  ),
  expiry: maybe(
    z.union([z.literal("none"), duration(0, longest, expiryMessage)], {
      error: ({ input }) => withoutUnit(input) ?? expiryMessage,
    }),
  ).describe("A version expires so long after its rotation is due. Default: 30d. Or: none."),
};

const pattern = z.string().min(1).max(256);

const patterns = z
  .union([pattern, z.array(pattern).min(1).max(1000)], {
    error: "must be text or a list of texts",
  })
  .transform((written) => (typeof written === "string" ? [written] : written));

const match = z.strictObject({
  type: maybe(patterns).describe("Types of target."),
  vault: maybe(patterns).describe("Vaults that the secret is published in, by their names here."),
  host: maybe(patterns).describe("Hosts of the target, upper or lower case."),
  owner: maybe(patterns).describe("What the tag owner says."),
  environment: maybe(patterns).describe("What the tag environment says, or env if there is none."),
  target: maybe(patterns).describe("Ids of targets."),
  tags: maybe(z.record(pattern, z.string().max(256))).describe("Tags and what they say."),
});

export const policySchema = z
  .strictObject({
    ...triggerFields,
    ...windowFields,
    priority: maybe(z.int().min(-1000).max(1000)).describe(
      "Of the policies that match a target the one with the greatest applies. Default: 0.",
    ),
    match: maybe(match).describe(
      "For which targets it is, besides those that name it. * stands for any characters, ? for one.",
    ),
    password: passwordFields.prefault({}),
    retry: retryFields.prefault({}),
    grace: maybe(duration(0, longest)).describe(
      "How long a superseded password of a pair stays valid. Default: 24h. A target may say another.",
    ),
    ...lifeFields,
  })
  .describe("When a target is rotated, how its passwords look, how failures are retried.")
  .meta({
    anyOf: ["every", "cron", "afterExposure", "afterIdle", "manualOnly"].map((field) => ({
      required: [field],
    })),
    not: { required: ["every", "manualOnly"] },
  });

/** A field is replaced as a whole. What a target has a field of its own for is not here. */
export const overridesSchema = z
  .strictObject({
    reason: z.string().regex(/\S/, "must say why").max(200).describe("Why; shown with the policy."),
    ...triggerFields,
    ...windowFields,
    password: maybe(passwordFields),
    retry: maybe(retryFields),
    ...lifeFields,
  })
  .refine((fields) => Object.keys(fields).length > 1, {
    error: "sets nothing; set a field of the policy, or leave it out",
    // A field that cannot be read is something that was to be set.
    when: ({ issues }) => issues.length === 0,
  })
  .describe("What the target has otherwise than its policy says, and why.")
  .meta({ minProperties: 2 });

export function namedPolicy(name: string, fields: z.output<typeof policySchema>): Policy {
  return { name, ...fields };
}
