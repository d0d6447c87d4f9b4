import { z } from "zod";
import { deadlines } from "../../core/deadlines.ts";
import { type Policy, retireWhen } from "../../core/policy/policy.ts";
import { day, hour, second } from "../../core/time.ts";
import { duration, maybe, withoutUnit } from "./fields.ts";
import { passwordFields } from "./password-fields.ts";
import { windowFields } from "./window-fields.ts";

const maxDurationMs = 3650 * day;

const retryFields = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("Number of attempts with the interval every. Later attempts use thenEvery."),
    every: duration(second, 30 * day)
      .prefault("10m")
      .describe("Interval between the first attempts."),
    thenEvery: duration(second, 30 * day)
      .prefault("6h")
      .describe("Interval between all later attempts."),
    jitter: maybe(z.number().min(0).max(1)).describe(
      "Maximum random delay that is added to an interval, as a fraction of it. Default: 0.1.",
    ),
  })
  .describe("When a failed rotation is tried again.");

const triggerFields = {
  every: maybe(duration(10 * second, maxDurationMs)).describe(
    "Maximum age of a secret. At this age it is rotated.",
  ),
  headStart: maybe(duration(0, maxDurationMs)).describe(
    "How long before its maximum age the secret may be rotated, if a window is open.",
  ),
  afterExposure: maybe(duration(0, maxDurationMs)).describe(
    "Time from an exposure of the secret to its rotation. The first exposure that is reported after the last change counts.",
  ),
  // The bound is a day, because uses are recorded to the hour.
  afterIdle: maybe(duration(day, maxDurationMs)).describe(
    "The secret is rotated after it was neither used nor changed for this time. Keyturn knows only the uses that are reported.",
  ),
  exposureIgnoresWindow: maybe(z.boolean()).describe(
    "Rotations after an exposure ignore windows. Freezes still apply.",
  ),
  exemptIdentities: maybe(z.array(z.string().min(1).max(200)).max(1000)).describe(
    "Identities that may read the secret without causing a rotation. * matches any characters, ? matches one.",
  ),
  manualOnly: maybe(z.literal(true)).describe(
    "No rotation is scheduled. Only a request or a reported exposure starts one.",
  ),
};

const expiryMessage = 'must be "none" or a duration such as 30d';

const adoptModes = z.enum(["verify", "rotate"]);

const lifeFields = {
  retire: maybe(z.enum(retireWhen)).describe(
    "When Keyturn ends a superseded password. grace: at the end of its grace. proof: after that, once the account has no sessions. Default: grace.",
  ),
  undo: maybe(z.boolean()).describe(
    "Whether the previous password may be published again on request (undo). Default: true.",
  ),
  timeouts: maybe(
    z.strictObject({
      connect: maybe(duration(second, deadlines.verify)).describe(
        "Limit for connecting to the target, including TLS and the log-in. Default: 5 s for the TCP connection; TLS and the log-in share the limit of change or verify.",
      ),
      change: maybe(duration(second, deadlines.apply)).describe("Limit for changing the password."),
      verify: maybe(duration(second, deadlines.verify)).describe(
        "Limit for one log-in that verifies a password.",
      ),
    }),
  ).describe("Time limits for one attempt, up to the limits of the engine."),
  adopt: maybe(
    z.union(
      [
        adoptModes.transform((mode) => ({ mode })),
        z.strictObject({
          mode: adoptModes.describe("verify: changes nothing. rotate: changes the password."),
          delay: maybe(duration(0, maxDurationMs)).describe(
            "Time from the adoption to the first change.",
          ),
        }),
      ],
      { error: 'must be "verify", "rotate", or a mapping with mode and delay' },
    ),
  ).describe(
    "What to do with a credential that Keyturn manages for the first time. Default: verify.",
  ),
  expiry: maybe(
    z.union([z.literal("none"), duration(0, maxDurationMs, expiryMessage)], {
      error: ({ input }) => withoutUnit(input) ?? expiryMessage,
    }),
  ).describe(
    "Time from the due moment of the next rotation to the expiry of a version, or none. Default: 30d.",
  ),
};

const verifyMessage = 'must be "none" or a duration of at least 1h, such as 1d';

const verifyEvery = z.union([z.literal("none"), duration(hour, maxDurationMs, verifyMessage)], {
  error: ({ input }) => withoutUnit(input) ?? verifyMessage,
});

const verifyText =
  "Interval of the heartbeat: a log-in that checks the published secret and changes nothing, or none. Windows and freezes do not apply.";

const pattern = z.string().min(1).max(256);

const patterns = z
  .union([pattern, z.array(pattern).min(1).max(1000)], {
    error: "must be text or a list of texts",
  })
  .transform((written) => (typeof written === "string" ? [written] : written));

const match = z.strictObject({
  type: maybe(patterns).describe("Types of target."),
  vault: maybe(patterns).describe("Names of the vaults in which the secret is published."),
  host: maybe(patterns).describe("Hosts of the target. Case-insensitive."),
  owner: maybe(patterns).describe("Values of the tag owner."),
  environment: maybe(patterns).describe(
    "Values of the tag environment. For targets without this tag, values of the tag env.",
  ),
  target: maybe(patterns).describe("Ids of targets."),
  tags: maybe(z.record(pattern, z.string().max(256))).describe("Tags and their values."),
});

export const policySchema = z
  .strictObject({
    ...triggerFields,
    ...windowFields,
    priority: maybe(z.int().min(-1000).max(1000)).describe(
      "If several policies match a target, the policy with the highest priority applies. Default: 0.",
    ),
    match: maybe(match).describe(
      "Targets that the policy applies to, besides targets that name it. * matches any characters, ? matches one.",
    ),
    password: passwordFields.prefault({}),
    retry: retryFields.prefault({}),
    grace: maybe(duration(0, maxDurationMs)).describe(
      "How long a superseded password stays valid. Default: 24h. A target can override it.",
    ),
    ...lifeFields,
    verifyEvery: verifyEvery.prefault("1d").describe(verifyText),
  })
  .describe("When a target is rotated, which passwords it gets, and how failures are retried.")
  .meta({
    anyOf: ["every", "cron", "afterExposure", "afterIdle", "manualOnly"].map((field) => ({
      required: [field],
    })),
    not: { required: ["every", "manualOnly"] },
  });

/** Each override replaces a whole field of the policy. `grace` is not an override, because targets have a field for it. */
export const overridesSchema = z
  .strictObject({
    reason: z
      .string()
      .regex(/\S/, "must not be blank; state the reason")
      .max(200)
      .describe("Reason for the overrides. It is shown with the policy."),
    ...triggerFields,
    ...windowFields,
    password: maybe(passwordFields),
    retry: maybe(retryFields),
    ...lifeFields,
    verifyEvery: maybe(verifyEvery).describe(verifyText),
  })
  .refine((fields) => Object.keys(fields).length > 1, {
    error: "overrides nothing; set a field of the policy, or remove overrides",
    // A field with a problem was still meant to override something.
    when: ({ issues }) => issues.length === 0,
  })
  .describe("Fields of the policy that differ for this target, and the reason.")
  .meta({ minProperties: 2 });

export function makeNamedPolicy(name: string, fields: z.output<typeof policySchema>): Policy {
  return { name, ...fields };
}
