import { z } from "zod";

export const countsShape = z.object({
  logIns: z.number(),
  /** Log-ins that did not work with what the vault said a moment before. */
  failed: z.number(),
  /** Those of the failed ones that worked when the secret was read once more, at once. */
  recovered: z.number(),
  lastProblem: z.string().optional(),
});

/** Of one target. */
export type Counts = z.output<typeof countsShape>;

export const reportShape = z.object({ counts: z.record(z.string(), countsShape) });
