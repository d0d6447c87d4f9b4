/** What runs in the thread that checks a configuration: it waits for one text, and answers once. */
import { parentPort } from "node:worker_threads";
import { parseConfig } from "./config/load.ts";
import { ConfigProblemsError, formatProblem } from "./config/problems.ts";
import { ConfigError } from "./core/errors.ts";
import type { FromWorker } from "./edited-config.ts";
import { rotatorsWith } from "./rotators/registry.ts";

const rotators = rotatorsWith({
  getToken: () => Promise.reject(new ConfigError("a check asks nobody")),
});

async function check(text: string): Promise<FromWorker> {
  try {
    const { targets, warnings } = await parseConfig(text, { rotators });
    return { kind: "edited", edited: { targets, warnings: warnings.map(formatProblem) } };
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return { kind: "problems", problems: error.problems };
  }
}

const say = (message: FromWorker): void => parentPort?.postMessage(message);

parentPort?.once("message", (text: string) => void check(text).then(say));
say({ kind: "ready" });
