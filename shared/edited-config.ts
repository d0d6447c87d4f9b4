import { ConfigProblemsError,type Problem } from "./config/problems.ts";
import type { SourceFile } from "./config/yaml/read.ts";
import type { Edited } from "./engine/queries/plan.ts";

/** What the worker is asked, once: to check a text, or to write the checked form of files. */
export type ToWorker =
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "form"; readonly files: readonly SourceFile[]; readonly build: string };

/** What the worker says: first that it listens, then what became of what it was asked. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "edited"; readonly edited: Edited }
  | { readonly kind: "form"; readonly form: string | undefined }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** What one text may use up. A whole fleet, as it fits into a request, uses a fraction of it. */
export interface CheckLimits {
  /** Milliseconds, without those in which the thread starts. */
  readonly time: number;
  /** Mebibytes of a heap of its own. */
  readonly memory: number;
}

const limitsOfPosted: CheckLimits = { time: 20_000, memory: 256 };

/** Whoever may write the configuration is trusted with more than whoever may post a text. */
const limitsOfOwn: CheckLimits = { time: 300_000, memory: 1024 };

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
  limits: CheckLimits = limitsOfPosted,
): Promise<Edited> {
  const answer = await askThread({ kind: "edited", text }, limits);
  if (answer.kind !== "edited") throw new Error(`the thread answered ${answer.kind}`);
  return answer.edited;
}

/**
 * Writes the checked form of files in a thread of its own; undefined when they cannot have one. Rejects with ConfigProblemsError or
 * CheckTooCostlyError.
 */
export async function writeFormInThread(
  files: readonly SourceFile[],
  build: string,
  limits: CheckLimits = limitsOfOwn,
): Promise<string | undefined> {
  const answer = await askThread({ kind: "form", files, build }, limits);
  if (answer.kind !== "form") throw new Error(`the thread answered ${answer.kind}`);
  return answer.form;
}

async function askThread(question: ToWorker, limits: CheckLimits): Promise<FromWorker> {
  // Most processes never need it, and each start would pay for it.
  const { Worker } = await import("node:worker_threads");
  const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
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
      worker.postMessage(question);
    } else if (message.kind === "problems") reject(new ConfigProblemsError(message.problems));
    else resolve(message);
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
