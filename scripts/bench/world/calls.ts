import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** A process of the bench that answers calls by name. */
export interface Callee {
  /** Rejects when the call fails there, or when the process ends before it answers. */
  call(name: string, argument?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

const callShape = z.object({ id: z.number(), name: z.string(), argument: z.unknown().optional() });
const answerShape = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.string().optional(),
});

/** Milliseconds that a process has to end by itself. */
const closeLimitMs = 15_000;

/** Starts a file of `processes/`, or one at an absolute path. It ends when this process does, however that ends. */
export function startCallee(
  file: string,
  args: readonly string[] = [],
  nodeArguments: readonly string[] = [],
): Callee {
  const path = fileURLToPath(new URL(file, new URL("../processes/", import.meta.url)));
  const child = fork(path, args, { execArgv: [...nodeArguments], detached: true });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;
  child.on("message", (message) => {
    const { id, result, error } = answerShape.parse(message);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(`${file}: ${error}`));
  });
  const exited = once(child, "exit").then(([code, signal]) => {
    for (const asked of waiting.values()) {
      asked.reject(new Error(`${file} ended (${String(signal ?? code)}).`));
    }
  });
  return {
    call(name, argument) {
      const asked = Promise.withResolvers<unknown>();
      const id = ++calls;
      waiting.set(id, asked);
      child.send({ id, name, argument }, (error) => {
        if (error) asked.reject(error);
      });
      return asked.promise;
    },
    async close() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), closeLimitMs);
      await exited;
      clearTimeout(late);
    },
  };
}

export type Answers = Readonly<Record<string, (argument: unknown) => unknown>>;

/** A refused configuration has a line for each target. */
const maxMessageLength = 1_000;

const toMessage = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Answers the calls of the process that started this one. */
export function answerCalls(answers: Answers): void {
  process.on("message", (message) => {
    const { id, name, argument } = callShape.parse(message);
    const answer = answers[name];
    Promise.resolve()
      .then(() => {
        if (!answer) throw new Error(`Unknown call "${name}".`);
        return answer(argument);
      })
      .then(
        (result) => process.send?.({ id, result }),
        (error: unknown) =>
          process.send?.({ id, error: toMessage(error).slice(0, maxMessageLength) }),
      );
  });
}
