import { z } from "zod";
import { verifyResults } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { instant, targetId, targetParams } from "./common.ts";

const results =
  "`accepted`: the target accepted the published secret. `rejected`: the target refused it, now or at `checkedAt`. " +
  "`unreachable`: the server or the vault gave no answer about the password, as `why` explains. " +
  "`unreadable`: the published secret does not exist, is disabled, or holds no credential of the target. " +
  "`not-tried`: the target refused the account too often, and another wrong guess might lock it.";

export const verify = endpoint({
  group: "Targets",
  route: "api-verify",
  summary: "Log in with the published secret now",
  description:
    "Changes nothing on the target or in the vault. Also works while a rotation waits for its next attempt; the answer is about the secret that is published now. " +
    "Wrong guesses count for all callers and rotations of the account together, so that asking cannot lock it: a version that was refused within the last 10 minutes is answered from the journal. " +
    "If the target refuses the secret, or somebody else wrote it, a check is due at once that does the same as after a Key Vault event. " +
    "While a worker holds the target, the request waits a few seconds and is then answered 409 with `Retry-After`.",
  params: targetParams,
  answers: {
    200: {
      description: "What was found. Compare `result`; `why` is for people.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            result: z.enum(verifyResults).describe(results),
            why: z.string().describe("What was found, about which object, and what to do."),
            checkedAt: instant,
            account: z.string().optional().describe("The account in the published secret."),
            version: z.string().optional().describe("The version of the published secret."),
            until: instant
              .optional()
              .describe("Keyturn does not try this version, or this account, before this moment."),
          })
          .meta({ id: "Verified" }),
      },
    },
  },
  problems: ["target-not-found", "busy"],
});
