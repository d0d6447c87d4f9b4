import { ConfigProblemsError } from "./config/problems.ts";
import type { Problem } from "./config/problems.ts";
import type { Edited } from "./engine/plan.ts";

/** What the worker says: first that it listens, then what became of the text. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "edited"; readonly edited: Edited }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** What one text may use up. A whole fleet, as it fits into a request, uses a fraction of it. */
export interface CheckLimits {
  /** Milliseconds, without those in which the thread starts. */
  readonly time: number;
  /** Mebibytes of a heap of its own. */
  readonly memory: number;
}

const usualLimits: CheckLimits = { time: 20_000, memory: 256 };

/** The check of a configuration took more time or memory than it may. */
export class CheckTooCostlyError extends Error {
  override readonly name = "CheckTooCostlyError";
}

/**
 * Reads and checks the text of a configuration in a thread of its own, which is ended when it uses too much: however the
 * text is made, the process goes on with its other work. Rejects with ConfigProblemsError or CheckTooCostlyError.
 */
export async function checkInThread(
  text: string,
  limits: CheckLimits = usualLimits,
): Promise<Edited> {
  // Most processes never need it, and each start would pay for it.
  const { Worker } = await import("node:worker_threads");
  const { promise, resolve, reject } = Promise.withResolvers<Edited>();
  const worker = new Worker(workerFile(), {
    // Neither settings of the app nor what observes it is needed there.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: limits.memory, maxYoungGenerationSizeMb: 32 },
  });
  let timer: NodeJS.Timeout | undefined;
  worker.on("message", (message: FromWorker) => {
    if (message.kind === "ready") {
      timer = setTimeout(() => {
        reject(tooLong(limits));
      }, limits.time);
      worker.postMessage(text);
    } else if (message.kind === "edited") resolve(message.edited);
    else reject(new ConfigProblemsError(message.problems));
  });
  worker.on("error", (error) => {
    reject(isOutOfMemory(error) ? tooMuch(limits) : error);
  });
  worker.on("exit", () => {
    reject(new Error("the thread that checks a configuration has ended"));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    return worker.terminate();
  });
}

/** The bundle has the thread's code in a file of its own, beside the folders of all others. */
function workerFile(): URL {
  const isBundled = !import.meta.url.endsWith(".ts");
  const file = isBundled ? "../workers/check-edited.js" : "./check-edited.ts";
  return new URL(file, import.meta.url);
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, "code") === "ERR_WORKER_OUT_OF_MEMORY";
}

const advice =
  "Send a smaller configuration, or compare it on the command line with `plan --against`";

function tooLong({ time }: CheckLimits): CheckTooCostlyError {
  const message = `The check of the configuration was stopped after ${time / 1000} s. ${advice}`;
  return new CheckTooCostlyError(message);
}

function tooMuch({ memory }: CheckLimits): CheckTooCostlyError {
  const message = `The check of the configuration was stopped: it needs more than ${memory} MiB of memory. ${advice}`;
  return new CheckTooCostlyError(message);
}
