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

/** A request to log in to a target with this value of its published secret. */
export const questionShape = z.object({
  number: z.number(),
  target: z.string(),
  value: z.string(),
});

const answerShape = z.object({
  number: z.number(),
  is: z.enum(["accepted", "rejected", "failed"]),
  /** Why it failed. */
  problem: z.string().optional(),
});
export type Answer = z.output<typeof answerShape>;

const reportShape = z.union([
  z.object({ counts: z.record(z.string(), countsShape) }),
  z.object({ answer: answerShape }),
]);

export interface ConsumerProcess extends Child {
  /** The last reported counts, by target. */
  counts(): Readonly<Record<string, Counts>>;
  /**
   * Lets the consumer log in with a value of the target's published secret: it has the identity, and trusts the servers of this
   * environment. Rejects as `OutlinedTarget.logIn` does.
   */
  logIn(target: string, value: string): Promise<"accepted" | "rejected">;
}

const program = fileURLToPath(new URL("./demo-consumer.ts", import.meta.url));

/** Starts the consumer. `settings` are the variables with its identity and the authority that it trusts; `config` is a path. */
export function startConsumer(
  folder: DataFolder,
  vaultUrl: string,
  settings: Readonly<Record<string, string>>,
  config: string,
): ConsumerProcess {
  let counts: Readonly<Record<string, Counts>> = {};
  const waiting: ((answer: Answer) => void)[] = [];
  const child = startChild({
    args: [program, vaultUrl, config],
    env: { ...plainEnvironment(), ...settings },
    cwd: folder.path,
    onLine(line) {
      const report = reportShape.parse(JSON.parse(line));
      if ("counts" in report) counts = report.counts;
      else waiting[report.answer.number]?.(report.answer);
    },
  });
  folder.remember("consumer", child.pid);
  return {
    ...child,
    counts: () => counts,
    async logIn(target, value) {
      const { is, problem } = await new Promise<Answer>((resolve) => {
        const number = waiting.push(resolve) - 1;
        child.send(JSON.stringify({ number, target, value }));
      });
      if (is === "failed") throw new Error(problem);
      return is;
    },
  };
}
