import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { IdentityEndpoint } from "../../identity/endpoint.ts";
import { type Exit, startChild, toPlainEnvironment } from "../environment/child.ts";
import { type DataFolder, rememberOrEnd } from "../environment/data-folder.ts";

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

export interface ConsumerOptions {
  readonly folder: DataFolder;
  readonly vaultUrl: string;
  readonly identity: IdentityEndpoint["env"];
  readonly caFile: string;
  /** The configuration whose targets it uses. Default: the seeded targets. */
  readonly config: string | undefined;
}

export interface ConsumerProcess {
  readonly pid: number;
  /** The last reported counts, by target. */
  counts(): Readonly<Record<string, Counts>>;
  readonly exited: Promise<Exit>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL("./demo-consumer.ts", import.meta.url));
const endLimitMs = 15_000;

export async function startConsumer(options: ConsumerOptions): Promise<ConsumerProcess> {
  const { folder, vaultUrl, identity, caFile, config } = options;
  let counts: Readonly<Record<string, Counts>> = {};
  const child = startChild({
    args: [program, vaultUrl, caFile, ...(config === undefined ? [] : [config])],
    env: { ...toPlainEnvironment(), ...identity },
    cwd: folder.path,
    onLine(line) {
      counts = reportShape.parse(JSON.parse(line)).counts;
    },
  });
  await rememberOrEnd(folder, "consumer", child);
  return {
    pid: child.pid,
    counts: () => counts,
    exited: child.exited,
    async close() {
      await child.end(endLimitMs);
    },
  };
}
