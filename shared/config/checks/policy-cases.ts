import type { Entry, Merged } from "../yaml/merge.ts";
import type { PolicyCase } from "./check-policies.ts";
import { choosePolicyFor } from "./choices.ts";
import type { CheckContext, TargetDraft } from "./drafts.ts";

/** Lists the policies, and after them the policies that targets override. */
export function listPolicyCases(
  { entries }: Merged,
  drafts: readonly TargetDraft[],
  context: CheckContext,
): PolicyCase[] {
  return [
    ...context.policies.flatMap(({ policy, malformed }) => {
      const entry = entries.policies.get(policy.name);
      return entry ? [{ policy, malformed, locate: makeLocator(entry) }] : [];
    }),
    ...drafts.flatMap((draft) => {
      const { overrides } = draft.fields;
      const choice = overrides && choosePolicyFor(draft, context);
      if (!choice || "problem" in choice) return [];
      const { policy } = choice;
      const own = { of: policy.name, fields: Object.keys(overrides) };
      return [{ policy, malformed: false, own, locate: makeLocator(draft.entry) }];
    }),
  ];
}

function makeLocator({ source, path }: Entry): PolicyCase["locate"] {
  return (finding) => source.locate({ ...finding, path: [...path, ...finding.path] });
}
