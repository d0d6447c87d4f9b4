import type { Instant } from "../core/time.ts";
import { anchored, checkAuthorities } from "./authorities.ts";
import type { Config } from "./config.ts";
import { checkPolicies } from "./check-policies.ts";
import { checkChoice, choiceOf } from "./choices.ts";
import { fileSchema } from "./definition.ts";
import { draftTarget, surroundingsOf } from "./drafts.ts";
import type { Surroundings, TargetDraft } from "./drafts.ts";
import { parseSource, type Source, sourceFrom } from "./document.ts";
import { located, merge } from "./merge.ts";
import type { Merged } from "./merge.ts";
import { ConfigProblemsError, inReadingOrder } from "./problems.ts";
import type { Problem } from "./problems.ts";
import { readFiles } from "./read.ts";
import { checkReferences } from "./references.ts";
import { resolve } from "./resolve.ts";
import { checkShared } from "./shared-checks.ts";
import { targetChecks } from "./target-checks.ts";
import { foldShared, withTargetDefaults } from "./target-defaults.ts";
import { targetSchema } from "./targets.ts";
import type { ConfigRotator } from "./targets.ts";
import { validate } from "./validate.ts";
import { findWarnings } from "./warnings.ts";

interface LoadOptions {
  readonly rotators: readonly ConfigRotator[];
  /** From when on the policies are tried out. */
  readonly now?: Instant;
}

/** `folder`: where relative paths begin; undefined when files that are named are not to be looked for. */
interface Written {
  readonly sources: readonly Source[];
  readonly folder: string | undefined;
}

/**
 * Reads one YAML file, or all of a folder's. Throws ConfigProblemsError with every problem there is: one that is found
 * does not hide another, unless the file cannot be understood as YAML at all.
 */
export async function loadConfig(
  path: string,
  { rotators, now = new Date().toISOString() }: LoadOptions,
): Promise<Config> {
  const { files, folder } = await readFiles(path);
  return configFrom({ sources: files.map(sourceFrom), folder }, { rotators, now });
}

/**
 * Reads one YAML file that is not on this machine. Files that it names are not looked for: a text that came from elsewhere
 * must not find out what files there are here. Relative paths in it stay as they are. Throws ConfigProblemsError.
 */
export function parseConfig(
  text: string,
  { rotators, now = new Date().toISOString() }: LoadOptions,
): Promise<Config> {
  const sources = [parseSource("keyturn.yaml", text)];
  return configFrom({ sources, folder: undefined }, { rotators, now });
}

async function configFrom(
  { sources: written, folder }: Written,
  { rotators, now }: Required<LoadOptions>,
): Promise<Config> {
  const sources = written.map(withTargetDefaults);
  const merged = merge(sources);
  const drafts = [...merged.entries.targets.values()].map((entry) => draftTarget(entry, rotators));
  const schema = fileSchema(targetSchema(rotators));
  const files = sources.flatMap((source) => {
    if (source.value === undefined) return [];
    return [{ source, checked: validate(schema, source.value) }];
  });
  const surroundings = surroundingsOf(merged, rotators);
  const policies = checkPolicies(merged, drafts, surroundings, now);
  const hazards = sources.flatMap((source) => source.problems);
  const explained = new Set(
    sources.flatMap((source) => [...source.explained].map((path) => `${source.name} ${path}`)),
  );
  const others = [
    ...merged.problems,
    ...files.flatMap(({ source, checked }) => checked.findings.map(source.locate)),
    ...policies.errors,
    ...checkMeaning(sources, merged, drafts, surroundings),
    ...(folder === undefined ? [] : await checkAuthorities(drafts, folder)),
  ];
  const problems = [
    ...hazards,
    ...others.filter(({ file, path }) => !explained.has(`${file} ${path}`)),
  ];
  if (problems.length > 0) throw new ConfigProblemsError(inReadingOrder(foldShared(problems)));
  const byId = new Map(drafts.map((draft) => [draft.entry.id, draft]));
  const parsed = files.flatMap(({ checked }) => checked.value ?? []);
  return {
    ...resolve(
      parsed,
      (id) => {
        const options = byId.get(id)?.options;
        return folder === undefined ? options : anchored(options, folder);
      },
      (id) => {
        const draft = byId.get(id);
        return draft && choiceOf(draft, surroundings);
      },
    ),
    warnings: inReadingOrder(
      foldShared([
        ...policies.warnings,
        ...findWarnings(drafts, surroundings, merged.entries.policies),
      ]),
    ),
  };
}

function checkMeaning(
  sources: readonly Source[],
  { entries, unreadable }: Merged,
  drafts: readonly TargetDraft[],
  surroundings: Surroundings,
): Problem[] {
  // What a name leads to may stand in the file that cannot be read.
  const complete = sources.every(({ value }) => value !== undefined);
  return [
    ...drafts.flatMap((draft) => {
      const found = targetChecks.flatMap((check) => check(draft, surroundings));
      return [
        ...draft.optionFindings.map(draft.entry.source.locate),
        ...located(draft.entry, found),
      ];
    }),
    ...checkShared(drafts, entries, surroundings),
    ...(complete
      ? [
          ...sources.flatMap((source) =>
            checkReferences(source, { entries, unreadable }, surroundings.types).map(source.locate),
          ),
          ...drafts.flatMap((draft) => located(draft.entry, checkChoice(draft, surroundings))),
        ]
      : []),
  ];
}
