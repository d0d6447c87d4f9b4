import type { Instant } from "../core/time.ts";
import { anchorTargets, checkAuthorities } from "./checks/authorities.ts";
import { checkCases, type CheckedCases, type PolicyCase } from "./checks/check-policies.ts";
import { checkChoice, choosePolicyFor } from "./checks/choices.ts";
import {
  type CheckContext,
  draftTarget,
  type TargetDraft,
  toCheckContext,
} from "./checks/drafts.ts";
import { checkLifetimes } from "./checks/lifetimes.ts";
import { withOnlyChoices } from "./checks/only-choices.ts";
import { type OpenModule, openOwnRotators } from "./checks/own-rotators.ts";
import { listPolicyCases } from "./checks/policy-cases.ts";
import { checkReferences } from "./checks/references.ts";
import { checkShared } from "./checks/shared-checks.ts";
import { targetChecks } from "./checks/target-checks.ts";
import { withDefaultGrace, withTargetDefaults } from "./checks/target-defaults.ts";
import { findWarnings } from "./checks/warnings.ts";
import type { Config, Configured } from "./config.ts";
import { ConfigProblemsError, type Problem, sortForReading } from "./problems.ts";
import { resolve } from "./resolve.ts";
import { makeFileSchema } from "./schema/definition.ts";
import { type ConfigRotator, makeTargetSchema } from "./schema/targets.ts";
import { validate } from "./schema/validate.ts";
import { parseSource, type Source, toSource } from "./yaml/document.ts";
import { type Merged, mergeSources, withLocation } from "./yaml/merge.ts";
import { readFiles, type SourceFiles } from "./yaml/read.ts";

export interface LoadOptions {
  /** The kinds of systems that are built in. */
  readonly rotators: readonly ConfigRotator[];
  /** Opens the modules that the configuration names. Absent: it may name none. */
  readonly openModule?: OpenModule;
  /** The moment from which the policies are simulated. */
  readonly now?: Instant;
}

/** A configuration without problems. File paths in it are unresolved. */
export interface Checked {
  readonly config: Configured;
  /** The policies that were simulated. */
  readonly cases: readonly PolicyCase[];
  readonly found: CheckedCases;
  /** The warnings that do not depend on the current time. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads one YAML file, or all YAML files of a folder. Throws ConfigProblemsError with every problem: one problem does not
 * hide another, unless a file is not valid YAML.
 */
export async function loadConfig(path: string, options: LoadOptions): Promise<Config> {
  return loadConfigFrom(await readFiles(path), options);
}

/** Checks files that have already been read, in the same way as `loadConfig`. */
export async function loadConfigFrom(
  { files, folder }: SourceFiles,
  options: LoadOptions,
): Promise<Config> {
  const checked = await checkSources(files.map(toSource), folder, options);
  const config = toConfig(checked);
  return { ...config, targets: anchorTargets(config.targets, folder) };
}

/**
 * Checks the text of a YAML file that a caller sent. The files that it names are not looked up: a caller must not learn which
 * files exist on this machine. Relative paths stay relative. Throws ConfigProblemsError.
 */
export async function parseConfig(text: string, options: LoadOptions): Promise<Config> {
  return toConfig(await checkSources([parseSource("keyturn.yaml", text)], undefined, options));
}

function toConfig({ config, found, warnings }: Checked): Config {
  const tried = [...found.each.flatMap((one) => one.warnings), ...found.untried];
  return { ...config, warnings: sortForReading([...tried, ...warnings]) };
}

/**
 * Checks the contents of files. Relative paths are resolved against `folder`; without it, named files are not looked up.
 * Throws ConfigProblemsError.
 */
export async function checkSources(
  written: readonly Source[],
  folder: string | undefined,
  { rotators: builtIn, openModule, now = new Date().toISOString() }: LoadOptions,
): Promise<Checked> {
  const defaulted = written.map(withTargetDefaults);
  const own = await openOwnRotators(defaulted, builtIn, openModule);
  const rotators = [...builtIn, ...own.rotators];
  const sources = defaulted.map((source) =>
    withDefaultGrace(withOnlyChoices(source, rotators), rotators),
  );
  const merged = mergeSources(sources);
  const drafts = [...merged.entries.targets.values()].map((entry) => draftTarget(entry, rotators));
  const schema = makeFileSchema(makeTargetSchema(rotators, own.isComplete));
  const files = sources.flatMap((source) => {
    if (source.value === undefined) return [];
    return [{ source, checked: validate(schema, source.value) }];
  });
  const context = toCheckContext(merged, rotators);
  const cases = listPolicyCases(merged, drafts, context);
  const tried = checkCases(cases, now);
  const hazards = sources.flatMap((source) => source.problems);
  const explained = new Set(
    sources.flatMap((source) => [...source.explained].map((path) => `${source.name} ${path}`)),
  );
  const faulty = cases.filter((_, index) => tried.each[index]?.errors.length !== 0);
  const except = new Set(faulty.map(({ policy }) => policy.name));
  const lifetimes = checkLifetimes(drafts, context, { now, except });
  const others = [
    ...merged.problems,
    ...own.problems,
    ...files.flatMap(({ source, checked }) => checked.findings.map(source.locate)),
    ...tried.each.flatMap(({ errors }) => errors),
    ...lifetimes.errors,
    ...checkMeaning(sources, merged, drafts, { ...context, isComplete: own.isComplete }),
    ...(folder === undefined ? [] : await checkAuthorities(drafts, folder)),
  ];
  const problems = [
    ...hazards,
    ...others.filter(({ file, path }) => !explained.has(`${file} ${path}`)),
  ];
  if (problems.length > 0) throw new ConfigProblemsError(sortForReading(problems));
  const byId = new Map(drafts.map((draft) => [draft.entry.id, draft]));
  const parsed = files.flatMap(({ checked }) => checked.value ?? []);
  const config = resolve(
    parsed,
    (id) => byId.get(id),
    (id) => {
      const draft = byId.get(id);
      return draft && choosePolicyFor(draft, context);
    },
  );
  const warnings = [
    ...findWarnings(drafts, context, merged.entries.policies),
    ...lifetimes.warnings,
  ];
  const modules = own.paths.length > 0 ? { modules: own.paths } : {};
  return { config: { ...config, ...modules }, cases, found: tried, warnings };
}

function checkMeaning(
  sources: readonly Source[],
  { entries, unreadable }: Merged,
  drafts: readonly TargetDraft[],
  context: CheckContext & { readonly isComplete: boolean },
): Problem[] {
  // A referenced name may be defined in a file that cannot be read.
  const complete = context.isComplete && sources.every(({ value }) => value !== undefined);
  return [
    ...drafts.flatMap((draft) => {
      const found = targetChecks.flatMap((check) => check(draft, context));
      return [
        ...draft.optionFindings.map(draft.entry.source.locate),
        ...withLocation(draft.entry, found),
      ];
    }),
    ...checkShared(drafts, entries, context),
    ...(complete
      ? [
          ...sources.flatMap((source) =>
            checkReferences(source, { entries, unreadable }, context.types).map(source.locate),
          ),
          ...drafts.flatMap((draft) => withLocation(draft.entry, checkChoice(draft, context))),
        ]
      : []),
  ];
}
