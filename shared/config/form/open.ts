import type { Instant } from "../../core/time.ts";
import type { Config, Configured } from "../config.ts";
import { ConfigProblemsError, type Problem } from "../problems.ts";
import { readFiles, type SourceFiles } from "../yaml/read.ts";
import { type FormContent, formPath, readForm } from "./checked-form.ts";
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
  { build, check, now }: OpenOptions,
): Promise<Opened> {
  const given = await readFiles(path);
  const form = build === undefined ? undefined : await readForm(formPath(path), given.files, build);
  const content = form && "content" in form ? form.content : undefined;
  const opened = await openFiles(given, content, { check, ...(now && { now }) });
  if (!form || !("warning" in form)) return opened;
  return { ...opened, warnings: async () => [...(await opened.warnings()), form.warning] };
}

/** The configuration in these files; of what their checked form holds, where there is one. Throws ConfigProblemsError. */
export async function openFiles(
  given: SourceFiles,
  content: FormContent | undefined,
  { check, now = () => new Date().toISOString() }: Pick<OpenOptions, "check" | "now">,
): Promise<Opened> {
  const restored = content && (await restore(content, given.folder));
  if (content && restored) {
    const warnings = async () =>
      (await warningsIn(content, now())) ?? (await collectProblems(check(given)));
    return { config: restored, warnings };
  }
  const { warnings, ...config } = await check(given);
  return { config, warnings: () => Promise.resolve(warnings) };
}

/** What is to be said of a configuration that is in use already: then even what is wrong can only be a warning. */
async function collectProblems(checking: Promise<Config>): Promise<readonly Problem[]> {
  try {
    return (await checking).warnings;
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.problems;
  }
}
