import { z } from "zod";

export const countsShape = z.object({
  logIns: z.number(),
  /** Log-ins that failed with the secret that the consumer had just read. */
  failed: z.number(),
  /** Failed log-ins that worked after the consumer had read the secret again. */
  recovered: z.number(),
  lastProblem: z.string().optional(),
});

/** The counts of one target. */
export type Counts = z.output<typeof countsShape>;

export const reportShape = z.object({ counts: z.record(z.string(), countsShape) });
