import type { Entry, Merged } from "../yaml/merge.ts";
import type { PolicyCase } from "./check-policies.ts";
import { choiceOf } from "./choices.ts";
import type { Surroundings, TargetDraft } from "./drafts.ts";

/** The policies, and what targets make of them. */
export function policyCases(
  { entries }: Merged,
  drafts: readonly TargetDraft[],
  surroundings: Surroundings,
): PolicyCase[] {
  return [
    ...surroundings.policies.flatMap(({ policy, malformed }) => {
      const entry = entries.policies.get(policy.name);
      return entry ? [{ policy, malformed, locate: locatorOf(entry) }] : [];
    }),
    ...drafts.flatMap((draft) => {
      const { overrides } = draft.fields;
      const choice = overrides && choiceOf(draft, surroundings);
      if (!choice || "problem" in choice) return [];
      const { policy } = choice;
      const own = { of: policy.name, fields: Object.keys(overrides) };
      return [{ policy, malformed: false, own, locate: locatorOf(draft.entry) }];
    }),
  ];
}

function locatorOf({ source, path }: Entry): PolicyCase["locate"] {
  return (finding) => source.locate({ ...finding, path: [...path, ...finding.path] });
}
