import { z } from "zod";
import { endpoint } from "../http/endpoint.ts";
import {
  instant,
  justification,
  keyedHeaders,
  pastMoment,
  rotationId,
  sentence,
  targetId,
  targetParams,
} from "./common.ts";

const versionError = "`version` must be the id of a version of the secret.";

export const reportExposure = endpoint({
  route: "api-exposures",
  group: "Exposures and uses",
  summary: "Report that somebody saw the secret",
  description:
    "Reports may be repeated: the first one since the last change counts. The policy decides whether a change is due because of it; the explanation of exposures lists the cases. Never send the secret.",
  params: targetParams,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      by: sentence("by", "the name of the person or system that saw the secret").describe(
        "Who saw it.",
      ),
      at: pastMoment("at").optional().describe("When. Not in the future. Default: now."),
      from: sentence("from", "the place where the secret was seen")
        .optional()
        .describe("Where it was seen, such as the name of a log."),
      version: z
        .string(versionError)
        .regex(/^\w{1,64}$/, versionError)
        .optional()
        .describe(
          "The id of the version that was seen. Default: the version that was published at that time.",
        ),
      kind: z
        .enum(["exposure", "breach"])
        .default("exposure")
        .describe("`breach` lifts the freezes that list it."),
      ...justification,
    }),
  },
  answers: {
    202: {
      description: "The report is recorded, or has no effect as `why` explains.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            counted: z
              .boolean()
              .describe(
                "Whether the report makes a change due. `false`: nothing happens because of it.",
              ),
            why: z
              .string()
              .describe(
                "The reason, what the change waits for, and what to do if nothing happens by itself.",
              ),
            nextDue: instant
              .optional()
              .describe("When the secret is changed next. Absent if that is not known."),
            rotation: rotationId
              .optional()
              .describe("The rotation, queued or under way, that changes the secret."),
          })
          .meta({ id: "ExposureOutcome", description: "The effect of a report of an exposure." }),
      },
    },
  },
  problems: ["target-not-found", "busy", "record-unreadable"],
});

export const reportUse = endpoint({
  route: "api-uses",
  group: "Exposures and uses",
  summary: "Report that the secret was used",
  description:
    "The policy's `afterIdle` counts from the last use. Within an hour of the last use nothing is written.",
  params: targetParams,
  headers: keyedHeaders,
  body: {
    json: z.strictObject({
      at: pastMoment("at").optional().describe("When. Not in the future. Default: now."),
      by: sentence("by", "the name of the person or system that used the secret")
        .optional()
        .describe("Who used it."),
    }),
  },
  answers: {
    202: {
      description: "The use is recorded, or has no effect as `why` explains.",
      content: {
        "application/json": z
          .object({
            target: targetId,
            counted: z
              .boolean()
              .describe(
                "Whether the use postpones a rotation or starts the clock of one. `false` if a use within the hour, or a later one, is known, and if the policy has no `afterIdle` or is `manualOnly`.",
              ),
            why: z.string().describe("The reason."),
            lastUsedAt: instant.optional().describe("The last known use."),
            nextDue: instant.optional().describe("When the next rotation is due."),
          })
          .meta({ id: "UseOutcome", description: "The effect of a report of a use." }),
      },
    },
  },
  problems: ["target-not-found", "busy", "record-unreadable"],
});
