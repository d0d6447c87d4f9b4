import { resolve } from "node:path";
import type { Config } from "./config/config.ts";
import { writeForm } from "./config/form/write-form.ts";
import { loadConfig, loadConfigFrom } from "./config/load.ts";
import type { SourceFile, SourceFiles } from "./config/yaml/read.ts";
import { ConfigError } from "./core/errors.ts";
import type { Instant } from "./core/time.ts";
import { makeOutline, type Outline } from "./outline.ts";
import { type PlanAnswer, planFiles, type PlanQuestion } from "./planning.ts";
import { makeRotators } from "./rotators/registry.ts";

const rotators = makeRotators({
  getToken: () =>
    Promise.reject(new ConfigError("Bug: the check of a configuration requested an Azure token")),
});

/** Checks files that have already been read. Throws ConfigProblemsError. */
export function checkFiles(files: SourceFiles): Promise<Config> {
  return loadConfigFrom(files, { rotators });
}

/** See `planConfig` of the app. */
export function planConfig(
  question: PlanQuestion,
  root: string,
  now: Instant = new Date().toISOString(),
): Promise<PlanAnswer> {
  return planFiles(question, {
    now,
    load: (path) => loadConfig(resolve(root, path), { rotators, now }),
    serverOf: ({ type, options }) => {
      const rotator = rotators.find((one) => one.type === type);
      if (rotator === undefined) throw new ConfigError(`Bug: no rotator has the type ${type}`);
      return rotator.endpoint(options).host;
    },
  });
}

/** See `checkConfig` of the app. */
export async function checkConfig(path: string, root: string): Promise<Outline> {
  return makeOutline(await loadConfig(resolve(root, path), { rotators }), rotators);
}

/** See `writeCheckedForm` of the app. */
export function writeCheckedForm(
  files: readonly SourceFile[],
  build: string,
): Promise<string | undefined> {
  return writeForm(files, build, { rotators });
}
