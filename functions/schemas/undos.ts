import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import { justification, keyedHeaders, rotationId, targetId, targetParams } from "./common.ts";
import { accepted, lifts, requested } from "./requested.ts";

export const undo = endpoint({
  route: "api-undo",
  group: "Rotations",
  summary: "Publish the previous password again",
  description:
    "Leads to one rotation with the cause `undo`. For a pair, within the grace: the previous account is published again after a log-in proves its password, and the account that was published until then is retired after its own grace. For a single account, its previous password is set again. Refused during a rotation, when the previous account was retired or its grace is over, when somebody reported its password as exposed, and when the policy says `undo: false`.",
  params: targetParams,
  headers: keyedHeaders,
  body: { json: z.strictObject({ ...lifts, ...justification }) },
  answers: { 202: { ...accepted, content: { "application/json": requested } } },
  problems: ["target-not-found", "busy", "not-possible", "record-unreadable"],
});

const versionError =
  "`version` must be the id of a version of a secret, such as 32 hexadecimal digits.";

export const unblock = endpoint({
  route: "api-unblock",
  group: "Rotations",
  summary: "Let a blocked target continue",
  description:
    "With `version`, Keyturn logs in with that version before anything else; if the target refuses it, the target stays blocked. The log-in counts as a guess, so that the account is not locked. Without `version`, the blocked rotation tries the stored passwords again before it changes anything.",
  params: targetParams,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      version: z
        .string(versionError)
        .regex(/^[0-9a-zA-Z]{1,64}$/, versionError)
        .optional()
        .describe(
          "The version with the password that works: of the published secret, of the pending one, or of the secret under `initial`. Default: none; Keyturn tries the stored passwords again.",
        ),
      ...justification,
    }),
  },
  answers: {
    200: {
      description: "The target is no longer blocked.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            why: z.string().describe("What was proven, and what continues."),
            rotation: rotationId.optional().describe("The rotation that continues."),
            account: z.string().optional().describe("The account whose password was proven."),
          })
          .meta({ id: "UnblockedTarget" }),
      },
    },
  },
  problems: [
    "target-not-found",
    "busy",
    "not-possible",
    "record-unreadable",
    "vault-unavailable",
    "target-unavailable",
  ],
});
