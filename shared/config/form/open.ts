import type { Instant } from "../../core/time.ts";
import type { Config, Configured } from "../config.ts";
import { ConfigProblemsError, type Problem } from "../problems.ts";
import { readFiles, type SourceFiles } from "../yaml/read.ts";
import { type FormContent, readForm, toFormPath } from "./checked-form.ts";
import { restore, restoreWarnings } from "./restore.ts";

interface OpenOptions {
  /** The name of the running build. A form of another build is not used. Undefined: no form is used. */
  readonly build: string | undefined;
  /** Checks the sources. */
  readonly check: (files: SourceFiles) => Promise<Config>;
  readonly now?: () => Instant;
}

export interface Opened {
  readonly config: Configured;
  /** The warnings at this moment. They are computed on request, because simulating the policies takes a while. */
  readonly warnings: () => Promise<readonly Problem[]>;
}

/**
 * Opens the configuration at `path`. Reads its checked form if this build wrote it from exactly these bytes, and otherwise
 * the sources. The result is the same. Throws ConfigProblemsError.
 */
export async function openConfig(
  path: string,
  { build, check, now }: OpenOptions,
): Promise<Opened> {
  const given = await readFiles(path);
  const form =
    build === undefined ? undefined : await readForm(toFormPath(path), given.files, build);
  const content = form && "content" in form ? form.content : undefined;
  const opened = await openFiles(given, content, { check, ...(now && { now }) });
  if (!form || !("warning" in form)) return opened;
  return { ...opened, warnings: async () => [...(await opened.warnings()), form.warning] };
}

/** Opens the configuration in these files, from the `content` of their checked form if there is one. Throws ConfigProblemsError. */
export async function openFiles(
  given: SourceFiles,
  content: FormContent | undefined,
  { check, now = () => new Date().toISOString() }: Pick<OpenOptions, "check" | "now">,
): Promise<Opened> {
  const restored = content && (await restore(content, given.folder));
  if (content && restored) {
    const warnings = async () =>
      (await restoreWarnings(content, now())) ?? (await collectProblems(check(given)));
    return { config: restored, warnings };
  }
  const { warnings, ...config } = await check(given);
  return { config, warnings: () => Promise.resolve(warnings) };
}

/** Collects warnings and errors alike: the configuration is already in use, so errors are reported as warnings too. */
async function collectProblems(checking: Promise<Config>): Promise<readonly Problem[]> {
  try {
    return (await checking).warnings;
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.problems;
  }
}
