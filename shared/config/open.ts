import type { Instant } from "../core/time.ts";
import { formPath, readForm } from "./checked-form.ts";
import type { Config } from "./config.ts";
import { readFiles, type SourceFiles } from "./read.ts";
import { restore } from "./restore.ts";

interface OpenOptions {
  /** Which build this is; a form of another one is not used. Undefined: none is. */
  readonly build: string | undefined;
  readonly now?: Instant;
  /** The check of the sources. */
  readonly check: (files: SourceFiles) => Promise<Config>;
}

/**
 * The configuration at `path`: of its checked form, when that was written by this build and of exactly these bytes, and
 * otherwise of the sources themselves. Either way it is the same. Throws ConfigProblemsError.
 */
export async function openConfig(
  path: string,
  { build, now = new Date().toISOString(), check }: OpenOptions,
): Promise<Config> {
  const given = await readFiles(path);
  const form = build === undefined ? undefined : await readForm(formPath(path), given.files, build);
  if (form && "content" in form) {
    const restored = await restore(form.content, given.folder, now);
    if (restored) return restored;
  }
  const config = await check(given);
  return form && "warning" in form
    ? { ...config, warnings: [...config.warnings, form.warning] }
    : config;
}
