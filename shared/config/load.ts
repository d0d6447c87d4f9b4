import type { Instant } from "../core/time.ts";
import { anchoredTargets, checkAuthorities } from "./checks/authorities.ts";
import { checkCases, type CheckedCases, type PolicyCase } from "./checks/check-policies.ts";
import { checkChoice, choosePolicyFor } from "./checks/choices.ts";
import {
  type CheckContext,
  draftTarget,
  type TargetDraft,
  toCheckContext,
} from "./checks/drafts.ts";
import { policyCases } from "./checks/policy-cases.ts";
import { checkReferences } from "./checks/references.ts";
import { checkShared } from "./checks/shared-checks.ts";
import { targetChecks } from "./checks/target-checks.ts";
import { withTargetDefaults } from "./checks/target-defaults.ts";
import { findWarnings } from "./checks/warnings.ts";
import type { Config, Configured } from "./config.ts";
import { ConfigProblemsError, forReading, type Problem } from "./problems.ts";
import { resolve } from "./resolve.ts";
import { fileSchema } from "./schema/definition.ts";
import { type ConfigRotator, targetSchema } from "./schema/targets.ts";
import { validate } from "./schema/validate.ts";
import { parseSource, type Source, sourceFrom } from "./yaml/document.ts";
import { merge, type Merged, withLocation } from "./yaml/merge.ts";
import { readFiles, type SourceFiles } from "./yaml/read.ts";

export interface LoadOptions {
  readonly rotators: readonly ConfigRotator[];
  /** From when on the policies are tried out. */
  readonly now?: Instant;
}

/** A configuration without a problem. Paths of files in it are as they are written. */
export interface Checked {
  readonly config: Configured;
  /** What of it was tried out from a moment on. */
  readonly cases: readonly PolicyCase[];
  readonly found: CheckedCases;
  /** Those that are the same at any moment. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads one YAML file, or all of a folder's. Throws ConfigProblemsError with every problem there is: one that is found
 * does not hide another, unless the file cannot be understood as YAML at all.
 */
export async function loadConfig(path: string, options: LoadOptions): Promise<Config> {
  return configFrom(await readFiles(path), options);
}

/** Checks files that have been read, as `loadConfig` does. */
export async function configFrom(
  { files, folder }: SourceFiles,
  options: LoadOptions,
): Promise<Config> {
  const checked = await checkSources(files.map(sourceFrom), folder, options);
  const config = whole(checked);
  return { ...config, targets: anchoredTargets(config.targets, folder) };
}

/**
 * Reads one YAML file that is not on this machine. Files that it names are not looked for: a text that came from elsewhere
 * must not find out what files there are here. Relative paths in it stay as they are. Throws ConfigProblemsError.
 */
export async function parseConfig(text: string, options: LoadOptions): Promise<Config> {
  return whole(await checkSources([parseSource("keyturn.yaml", text)], undefined, options));
}

function whole({ config, found, warnings }: Checked): Config {
  const tried = [...found.each.flatMap((one) => one.warnings), ...found.untried];
  return { ...config, warnings: forReading([...tried, ...warnings]) };
}

/**
 * Checks what files say. `folder` is where relative paths begin; without it, files that are named are not looked for. Throws
 * ConfigProblemsError.
 */
export async function checkSources(
  written: readonly Source[],
  folder: string | undefined,
  { rotators, now = new Date().toISOString() }: LoadOptions,
): Promise<Checked> {
  const sources = written.map(withTargetDefaults);
  const merged = merge(sources);
  const drafts = [...merged.entries.targets.values()].map((entry) => draftTarget(entry, rotators));
  const schema = fileSchema(targetSchema(rotators));
  const files = sources.flatMap((source) => {
    if (source.value === undefined) return [];
    return [{ source, checked: validate(schema, source.value) }];
  });
  const surroundings = toCheckContext(merged, rotators);
  const cases = policyCases(merged, drafts, surroundings);
  const tried = checkCases(cases, now);
  const hazards = sources.flatMap((source) => source.problems);
  const explained = new Set(
    sources.flatMap((source) => [...source.explained].map((path) => `${source.name} ${path}`)),
  );
  const others = [
    ...merged.problems,
    ...files.flatMap(({ source, checked }) => checked.findings.map(source.locate)),
    ...tried.each.flatMap(({ errors }) => errors),
    ...checkMeaning(sources, merged, drafts, surroundings),
    ...(folder === undefined ? [] : await checkAuthorities(drafts, folder)),
  ];
  const problems = [
    ...hazards,
    ...others.filter(({ file, path }) => !explained.has(`${file} ${path}`)),
  ];
  if (problems.length > 0) throw new ConfigProblemsError(forReading(problems));
  const byId = new Map(drafts.map((draft) => [draft.entry.id, draft]));
  const parsed = files.flatMap(({ checked }) => checked.value ?? []);
  const config = resolve(
    parsed,
    (id) => byId.get(id)?.options,
    (id) => {
      const draft = byId.get(id);
      return draft && choosePolicyFor(draft, surroundings);
    },
  );
  const warnings = findWarnings(drafts, surroundings, merged.entries.policies);
  return { config, cases, found: tried, warnings };
}

function checkMeaning(
  sources: readonly Source[],
  { entries, unreadable }: Merged,
  drafts: readonly TargetDraft[],
  surroundings: CheckContext,
): Problem[] {
  // What a name leads to may stand in the file that cannot be read.
  const complete = sources.every(({ value }) => value !== undefined);
  return [
    ...drafts.flatMap((draft) => {
      const found = targetChecks.flatMap((check) => check(draft, surroundings));
      return [
        ...draft.optionFindings.map(draft.entry.source.locate),
        ...withLocation(draft.entry, found),
      ];
    }),
    ...checkShared(drafts, entries, surroundings),
    ...(complete
      ? [
          ...sources.flatMap((source) =>
            checkReferences(source, { entries, unreadable }, surroundings.types).map(source.locate),
          ),
          ...drafts.flatMap((draft) => withLocation(draft.entry, checkChoice(draft, surroundings))),
        ]
      : []),
  ];
}
