import { readFileSync } from "node:fs";
import { z } from "zod";

/** How many messages an instance takes at a time. */
export const batchShape = z.object({
  /** The maximum number of messages for one request. */
  batchSize: z.number(),
  /** The number of messages in work above which no more are taken. */
  newBatchThreshold: z.number(),
});

export type Batch = z.output<typeof batchShape>;

const hostShape = z.object({
  extensions: z.object({
    queues: batchShape,
  }),
});

export interface HostSettings extends Readonly<Batch> {
  /** The first and the longest wait between polls of an empty queue. */
  readonly pollMs: readonly [number, number];
}

/** Reads from `host.json` how the Functions host takes messages. */
export function hostSettings(): HostSettings {
  const text = readFileSync(new URL("../../../host.json", import.meta.url), "utf8");
  const { batchSize, newBatchThreshold } = hostShape.parse(JSON.parse(text)).extensions.queues;
  return { batchSize, newBatchThreshold, pollMs: [100, 5_000] };
}
