/** The code of the thread that checks a configuration. It waits for one question and answers once. */
import { parentPort, workerData } from "node:worker_threads";
import { writeForm } from "./config/form/write-form.ts";
import { parseConfig } from "./config/load.ts";
import { ConfigProblemsError, formatProblem } from "./config/problems.ts";
import { ConfigError } from "./core/errors.ts";
import type { FromWorker, ToWorker } from "./edited-config.ts";
import { type KnownModules, knownModules } from "./rotators/own/modules.ts";
import { makeRotators } from "./rotators/registry.ts";

const rotators = makeRotators({
  getToken: () =>
    Promise.reject(new ConfigError("Bug: the check of a configuration requested an Azure token")),
});

/** The thread begins with the modules that the process has imported. */
const given = { rotators, openModule: knownModules(workerData as KnownModules) };

async function check(question: ToWorker): Promise<FromWorker> {
  try {
    if (question.kind === "form") {
      return { kind: "form", form: await writeForm(question.files, question.build, given) };
    }
    const { targets, warnings } = await parseConfig(question.text, given);
    return { kind: "edited", edited: { targets, warnings: warnings.map(formatProblem) } };
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return { kind: "problems", problems: error.problems };
  }
}

const say = (message: FromWorker): void => parentPort?.postMessage(message);

parentPort?.once("message", (question: ToWorker) => void check(question).then(say));
say({ kind: "ready" });
