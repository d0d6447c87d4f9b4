import { writeFileSync } from "node:fs";
import { z } from "zod";
import type { Child } from "./child.ts";
import { withoutStack } from "./failure.ts";
import { readJson } from "./kept-file.ts";
import { launchHost, type LaunchOptions } from "./launch-host.ts";

/** A host that comes after another one gets the port that one had. */
export interface FunctionsHostOptions extends Omit<LaunchOptions, "keysFile"> {
  /** A host that nobody asked to end was killed, and another one takes its place. */
  readonly onKilled: (how: string) => void;
  /** Another host is ready in the place of the one before; waited for. */
  readonly onReplaced: () => Promise<void>;
}

export interface FunctionsHost {
  readonly url: string;
  readonly keys: { readonly default: string; readonly eventgrid_extension: string };
  readonly pid: number;
  /** Resolves with the reason when no host runs any more and none will be started. */
  readonly failed: Promise<string>;
  /** Lets running functions end, then starts another one. */
  restart(): Promise<void>;
  /** Ends it the hard way; resolves when the one that takes its place is ready. */
  kill(signal: NodeJS.Signals): Promise<void>;
  close(): Promise<void>;
}

/** Longer than the host itself lets functions run on. */
const endLimitMs = 40_000;

const keysShape = z.object({ default: z.string(), eventgrid_extension: z.string() });

/** Runs the Functions app as a process of its own, and another one whenever that was killed. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const keysFile = options.folder.at("functions-keys.json");
  writeFileSync(options.folder.at("functions.log"), "", { mode: 0o600 });
  const failed = Promise.withResolvers<string>();
  let current = await launchHost({ ...options, keysFile });
  const port = Number(new URL(current.url).port);
  const keys = await readJson(keysFile, keysShape);
  if (keys === undefined) throw new Error(`${keysFile} holds no keys.`);
  let expected = false;
  let replacing: Promise<void> = Promise.resolve();

  const replace = async (): Promise<void> => {
    try {
      current = await launchHost({ ...options, keysFile, port });
      watch(current.child);
      await options.onReplaced();
    } catch (error) {
      failed.resolve(error instanceof Error ? error.message : String(error));
    }
  };
  const watch = (child: Child): void => {
    void child.exited.then((exit) => {
      if (expected) return;
      // A program that ends itself with an error would do so again.
      if (exit.code !== null && exit.code !== 0) {
        failed.resolve(
          `The Functions host ended by itself: ${withoutStack(exit.errors) || `code ${exit.code}`}`,
        );
        return;
      }
      options.onKilled(exit.signal ?? "asked to end");
      replacing = replace();
    });
  };
  watch(current.child);

  return {
    url: current.url,
    keys,
    get pid() {
      return current.child.pid;
    },
    failed: failed.promise,
    async restart() {
      expected = true;
      await current.child.end(endLimitMs);
      expected = false;
      await replace();
    },
    async kill(signal) {
      const { exited } = current.child;
      current.child.kill(signal);
      await exited;
      // The watcher was there first, so the next one is on its way.
      await replacing;
    },
    async close() {
      expected = true;
      await replacing;
      await current.child.end(endLimitMs);
    },
  };
}
