import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Child, plainEnvironment, startChild } from "../environment/child.ts";
import type { DataFolder } from "../environment/data-folder.ts";

const countsShape = z.object({
  logIns: z.number(),
  /** Log-ins that failed with the secret that the consumer had just read. */
  failed: z.number(),
  /** Failed log-ins that worked after the consumer had read the secret again. */
  recovered: z.number(),
  lastProblem: z.string().optional(),
});

/** The counts of one target. */
export type Counts = z.output<typeof countsShape>;

const reportShape = z.object({ counts: z.record(z.string(), countsShape) });

export interface ConsumerProcess extends Child {
  /** The last reported counts, by target. */
  counts(): Readonly<Record<string, Counts>>;
}

const program = fileURLToPath(new URL("./demo-consumer.ts", import.meta.url));

/** Starts the consumer. `identity` has the variables of the identity that reads the vault; `config` is a path. */
export function startConsumer(
  folder: DataFolder,
  vaultUrl: string,
  identity: Readonly<Record<string, string>>,
  config: string,
): ConsumerProcess {
  let counts: Readonly<Record<string, Counts>> = {};
  const child = startChild({
    args: [program, vaultUrl, config],
    env: { ...plainEnvironment(), ...identity },
    cwd: folder.path,
    onLine(line) {
      counts = reportShape.parse(JSON.parse(line)).counts;
    },
  });
  folder.remember("consumer", child.pid);
  return { ...child, counts: () => counts };
}
