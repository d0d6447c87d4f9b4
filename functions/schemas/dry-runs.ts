import { z } from "zod";
import { dryRunChecks, dryRunResults } from "../../shared/app.ts";
import { endpoint } from "../http/endpoint.ts";
import { list, targetId, targetParams } from "./common.ts";

const check = z
  .object({
    check: z.enum(dryRunChecks),
    about: z.string().describe("The account, secret, vault, server or consumer that was checked."),
    result: z
      .enum(dryRunResults)
      .describe(
        "`failed`: a rotation would most likely fail. `warning`: a rotation can succeed, but a person should read the sentence. `not-checked`: only the change itself would prove it, or an earlier check failed.",
      ),
    sentence: z.string(),
    action: z.string().optional().describe("What to do about it."),
  })
  .meta({ id: "DryRunCheck" });

export const dryRun = endpoint({
  group: "Targets",
  route: "api-dry-run",
  summary: "Check what a rotation needs, and change nothing",
  description:
    "Reads the vault, logs in with the stored passwords, and queries the database for rights and obstacles. A failed check does not end the dry run. It writes nothing to the vault and the database. Log-ins that the database refuses count as wrong guesses of the account, as those of a rotation do. 409 while a worker is working on the target, or while a rotation that may have changed the password is open.",
  params: targetParams,
  body: { json: z.strictObject({}) },
  answers: {
    200: {
      description: "The checks.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            ready: z.boolean().describe("Whether no check failed."),
            checks: list(check),
          })
          .meta({ id: "DryRun" }),
      },
    },
  },
  problems: ["target-not-found", "busy"],
});
