import { z } from "zod";
import { type ProblemKind, problemKinds, problemType } from "../http/problem-kinds.ts";

const kinds = Object.keys(problemKinds) as ProblemKind[];
const types = kinds.map(problemType);

/** An error in the format of RFC 9457. */
export const problem = z
  .object({
    type: z.enum(types).describe("The kind of the problem. Programs may compare it."),
    title: z.string(),
    status: z.number(),
    detail: z.string().describe("A sentence for a person: what happened and what to do."),
    problems: z
      .array(
        z.object({
          path: z.string(),
          file: z.string(),
          line: z.number(),
          column: z.number(),
          message: z.string(),
          sharedBy: z.string().optional(),
        }),
      )
      .optional()
      .describe("Every problem of a configuration."),
  })
  .meta({ id: "Problem" });
