import { readFileSync } from "node:fs";
import { z } from "zod";

const hostShape = z.object({
  extensions: z.object({
    queues: z.object({ batchSize: z.number(), newBatchThreshold: z.number() }),
  }),
});

export interface HostSettings {
  /** Messages that one request takes. */
  readonly batchSize: number;
  /** Messages in work, above which no more are taken. */
  readonly newBatchThreshold: number;
  /** An empty queue is asked again after the first, then ever more rarely, up to the second. */
  readonly pollMs: readonly [number, number];
}

/** How the Functions host takes messages, as `host.json` says. */
export function hostSettings(): HostSettings {
  const text = readFileSync(new URL("../../../host.json", import.meta.url), "utf8");
  const { batchSize, newBatchThreshold } = hostShape.parse(JSON.parse(text)).extensions.queues;
  return { batchSize, newBatchThreshold, pollMs: [100, 5_000] };
}
