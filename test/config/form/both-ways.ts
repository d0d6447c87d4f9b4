import { writeFile } from "node:fs/promises";
import type { Config } from "../../../shared/config/config.ts";
import { toFormPath } from "../../../shared/config/form/checked-form.ts";
import { openConfig } from "../../../shared/config/form/open.ts";
import { writeForm } from "../../../shared/config/form/write-form.ts";
import { loadConfig, loadConfigFrom } from "../../../shared/config/load.ts";
import { ConfigProblemsError, formatProblem } from "../../../shared/config/problems.ts";
import type { ConfigRotator } from "../../../shared/config/schema/targets.ts";
import { readFiles } from "../../../shared/config/yaml/read.ts";

const build = "the build of the tests";

interface Given {
  readonly rotators: readonly ConfigRotator[];
  readonly now: string;
}

/** Writes the checked form of a file or folder next to it, and returns it. */
export async function addForm(path: string, given: Given, by = build): Promise<string> {
  const text = await writeForm((await readFiles(path)).files, by, given);
  if (text === undefined) throw new Error("this configuration has no checked form");
  await writeFile(toFormPath(path), text);
  return text;
}

interface Opened {
  /** The configuration, or the problems for which it was refused. */
  readonly outcome: Config | readonly string[];
  readonly from: "form" | "sources";
}

/** Opens a configuration as the app does, and reports whether it was read from its form or its sources. */
export async function open(path: string, given: Given, by = build): Promise<Opened> {
  let from: Opened["from"] = "form";
  const opening = openConfig(path, {
    build: by,
    now: () => given.now,
    check: (files) => {
      from = "sources";
      return loadConfigFrom(files, given);
    },
  });
  const whole = opening.then(async ({ config, warnings }) => ({
    ...config,
    warnings: await warnings(),
  }));
  return { outcome: await loadOutcome(whole), from };
}

/** Checks the sources at `path`, whether or not there is a form. */
export function load(path: string, given: Given): Promise<Opened["outcome"]> {
  return loadOutcome(loadConfig(path, given));
}

function loadOutcome(config: Promise<Config>): Promise<Opened["outcome"]> {
  return config.catch((error: unknown) => {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.problems.map(formatProblem);
  });
}
