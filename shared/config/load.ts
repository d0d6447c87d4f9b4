import { anchored, checkAuthorities } from "./authorities.ts";
import type { Config } from "./config.ts";
import { fileSchema } from "./definition.ts";
import { draftTarget, surroundingsOf } from "./drafts.ts";
import type { TargetDraft } from "./drafts.ts";
import type { Source } from "./document.ts";
import { merge } from "./merge.ts";
import type { Merged } from "./merge.ts";
import { checkPolicy } from "./policies.ts";
import { ConfigProblemsError, inReadingOrder } from "./problems.ts";
import type { Problem } from "./problems.ts";
import { readSources } from "./read.ts";
import { checkReferences } from "./references.ts";
import { resolve } from "./resolve.ts";
import { checkShared } from "./shared-checks.ts";
import { targetChecks } from "./target-checks.ts";
import { targetSchema } from "./targets.ts";
import type { ConfigRotator } from "./targets.ts";
import { validate } from "./validate.ts";
import { findWarnings } from "./warnings.ts";

/**
 * Reads one YAML file, or all of a folder's. Throws ConfigProblemsError with every problem there is: one that is found
 * does not hide another, unless the file cannot be understood as YAML at all.
 */
export async function loadConfig(
  path: string,
  { rotators }: { readonly rotators: readonly ConfigRotator[] },
): Promise<Config> {
  const { sources, folder } = await readSources(path);
  const merged = merge(sources);
  const drafts = [...merged.entries.targets.values()].map((entry) => draftTarget(entry, rotators));
  const schema = fileSchema(targetSchema(rotators));
  const files = sources.flatMap((source) => {
    if (source.value === undefined) return [];
    return [{ source, checked: validate(schema, source.value) }];
  });
  const problems = [
    ...sources.flatMap((source) => source.problems),
    ...merged.problems,
    ...files.flatMap(({ source, checked }) => checked.findings.map(source.locate)),
    ...checkMeaning(sources, merged, drafts),
    ...(await checkAuthorities(drafts, folder)),
  ];
  if (problems.length > 0) throw new ConfigProblemsError(inReadingOrder(problems));
  const options = new Map(drafts.map((draft) => [draft.entry.id, anchored(draft.options, folder)]));
  const parsed = files.flatMap(({ checked }) => checked.value ?? []);
  return {
    ...resolve(parsed, (id) => options.get(id)),
    warnings: inReadingOrder(findWarnings(drafts)),
  };
}

function checkMeaning(
  sources: readonly Source[],
  { entries }: Merged,
  drafts: readonly TargetDraft[],
): Problem[] {
  const surroundings = surroundingsOf(entries);
  // What a name leads to may stand in the file that cannot be read.
  const complete = sources.every(({ value }) => value !== undefined);
  return [
    ...[...entries.policies.values()].flatMap(({ source, path, value }) =>
      checkPolicy(value, path).map(source.locate),
    ),
    ...drafts.flatMap((draft) => {
      const { path, source } = draft.entry;
      const found = targetChecks.flatMap((check) => check(draft, surroundings));
      return [
        ...draft.optionFindings,
        ...found.map((finding) => ({ ...finding, path: [...path, ...finding.path] })),
      ].map(source.locate);
    }),
    ...checkShared(drafts, entries, surroundings),
    ...(complete
      ? sources.flatMap((source) => checkReferences(source, entries).map(source.locate))
      : []),
  ];
}
