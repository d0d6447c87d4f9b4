import { z } from "zod";
import { type ProblemKind, problemKinds, problemType } from "../http/problem-kinds.ts";

const kinds = Object.keys(problemKinds) as ProblemKind[];
const types = kinds.map(problemType);

const configProblem = z.object({
  path: z
    .string()
    .describe(
      "The field, such as `targets.orders-db.accounts[1]`. Empty: the problem is in the whole file.",
    ),
  file: z.string().describe("The name of the file."),
  line: z.number().describe("Counts from 1. 0: the problem is in the whole file."),
  column: z.number().describe("Counts from 1. 0: the problem is in the whole file."),
  message: z.string().describe("What is wrong and what to do."),
  sharedBy: z
    .string()
    .optional()
    .describe("The target that got the value from `targetDefaults`, if it did."),
});

/** An error in the format of RFC 9457. */
export const problem = z
  .object({
    type: z.enum(types).describe("The kind of the problem, for programs."),
    title: z.string().describe("The name of the kind, for people."),
    status: z.number().describe("The HTTP status."),
    detail: z.string().describe("A sentence for people: what happened and what to do."),
    problems: z
      .array(configProblem)
      .optional()
      .describe("Every problem of the configuration. Only for `invalid-configuration`."),
  })
  .meta({
    id: "Problem",
    description: "An error in the format of RFC 9457.",
    examples: [
      {
        type: problemType("invalid-request"),
        title: problemKinds["invalid-request"].title,
        status: problemKinds["invalid-request"].status,
        detail:
          "Unknown field `reson`. Did you mean `reason`? Allowed: cause, grace, liftFreeze, force, reason, ticket.",
      },
    ],
  });
