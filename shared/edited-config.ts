import { ConfigProblemsError, type Problem } from "./config/problems.ts";
import type { SourceFile } from "./config/yaml/read.ts";
import type { Edited } from "./engine/queries/plan.ts";

/** The one question to the thread: to check a text, or to write the checked form of files. */
export type ToWorker =
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "form"; readonly files: readonly SourceFile[]; readonly build: string };

/** The messages of the thread: first that it is ready, then the result. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "edited"; readonly edited: Edited }
  | { readonly kind: "form"; readonly form: string | undefined }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** The limits of one check. The largest fleet that fits into a request needs a fraction of them. */
export interface CheckLimits {
  /** Milliseconds, without the start of the thread. */
  readonly time: number;
  /** The heap of the thread in mebibytes. */
  readonly memory: number;
}

const limitsOfPosted: CheckLimits = { time: 20_000, memory: 256 };

/** Operators who can write the configuration may use more than callers who can post a text. */
const limitsOfOwn = (): CheckLimits => ({
  time: 300_000,
  // On a small instance a wrong file must not cost the process its memory.
  memory: Math.min(1024, Math.max(128, Math.floor(process.availableMemory() / 2 ** 21))),
});

/** The check of a configuration exceeded its limit of time or memory. */
export class CheckTooCostlyError extends Error {
  override readonly name = "CheckTooCostlyError";
}

/**
 * Checks the text of a configuration in its own thread. The thread is stopped when it exceeds its limits, so that no text can
 * block the other work of the process. Rejects with ConfigProblemsError or CheckTooCostlyError.
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
 * Writes the checked form of files in its own thread. Undefined when they cannot have one. Rejects with ConfigProblemsError
 * or CheckTooCostlyError.
 */
export async function writeFormInThread(
  files: readonly SourceFile[],
  build: string,
  limits: CheckLimits = limitsOfOwn(),
): Promise<string | undefined> {
  const answer = await askThread({ kind: "form", files, build }, limits);
  if (answer.kind !== "form") throw new Error(`the thread answered ${answer.kind}`);
  return answer.form;
}

async function askThread(question: ToWorker, limits: CheckLimits): Promise<FromWorker> {
  // Loaded on demand, because most processes never need it.
  const { Worker } = await import("node:worker_threads");
  const { promise, resolve, reject } = Promise.withResolvers<FromWorker>();
  const { listKnown } = await import("./rotators/own/modules.ts");
  const worker = new Worker(workerFile(), {
    workerData: listKnown(),
    // The thread needs neither the settings of the app nor its instrumentation.
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
    reject(new Error("the check of the configuration ended without a result"));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    return worker.terminate();
  });
}

/** The bundle has the code of the thread in a separate file, next to the folders of the triggers. */
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
  const message = `The check of the configuration timed out after ${time / 1000} s. ${advice}`;
  return new CheckTooCostlyError(message);
}

function tooMuch({ memory }: CheckLimits): CheckTooCostlyError {
  const message = `The check of the configuration stopped, because it needs more than ${memory} MiB of memory. ${advice}`;
  return new CheckTooCostlyError(message);
}
