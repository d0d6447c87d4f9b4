import type { Instant } from "../core/time.ts";
import { formPath, readForm } from "./checked-form.ts";
import type { Config, Configured } from "./config.ts";
import { ConfigProblemsError, type Problem } from "./problems.ts";
import { readFiles, type SourceFiles } from "./read.ts";
import { restore, warningsIn } from "./restore.ts";

interface OpenOptions {
  /** Which build this is; a form of another one is not used. Undefined: none is. */
  readonly build: string | undefined;
  /** The check of the sources. */
  readonly check: (files: SourceFiles) => Promise<Config>;
  readonly now?: () => Instant;
}

export interface Opened {
  readonly config: Configured;
  /** Those of the moment: it takes a while to try policies out, so this is done when somebody asks. */
  readonly warnings: () => Promise<readonly Problem[]>;
}

/**
 * The configuration at `path`: of its checked form, when that was written by this build and of exactly these bytes, and
 * otherwise of the sources themselves. Either way it is the same. Throws ConfigProblemsError.
 */
export async function openConfig(
  path: string,
  { build, check, now = () => new Date().toISOString() }: OpenOptions,
): Promise<Opened> {
  const given = await readFiles(path);
  const form = build === undefined ? undefined : await readForm(formPath(path), given.files, build);
  if (form && "content" in form) {
    const { content } = form;
    const config = await restore(content, given.folder);
    const warnings = async () =>
      (await warningsIn(content, now())) ?? (await problemsOf(check(given)));
    if (config) return { config, warnings };
  }
  const { warnings, ...config } = await check(given);
  const all = form && "warning" in form ? [...warnings, form.warning] : warnings;
  return { config, warnings: () => Promise.resolve(all) };
}

/** What is to be said of a configuration that is in use already: then even what is wrong can only be a warning. */
async function problemsOf(checking: Promise<Config>): Promise<readonly Problem[]> {
  try {
    return (await checking).warnings;
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.problems;
  }
}
