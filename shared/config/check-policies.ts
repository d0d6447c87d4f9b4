import type { Policy } from "../core/policy.ts";
import { checkPolicy, type Problem as PolicyProblem } from "../core/policy/check.ts";
import { untried } from "../core/policy/check-lateness.ts";
import { newEffort } from "../core/policy/effort.ts";
import type { Instant } from "../core/time.ts";
import { choiceOf } from "./choices.ts";
import type { Surroundings, TargetDraft } from "./drafts.ts";
import { located } from "./merge.ts";
import type { Entry, Merged } from "./merge.ts";
import { type Checked, checkOverridden, checkPolicyDraft } from "./policy-checks.ts";
import type { Problem } from "./problems.ts";

/** What is wrong with the policies, and with what targets make of them. */
export function checkPolicies(
  { entries }: Merged,
  drafts: readonly TargetDraft[],
  surroundings: Surroundings,
  now: Instant,
): { readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const effort = newEffort();
  const places: (readonly [Entry, Checked])[] = [];
  const notTried: Entry[] = [];
  const check = (entry: Entry, policy: Policy): readonly PolicyProblem[] => {
    const found = checkPolicy(policy, now, effort);
    if (found.includes(untried)) notTried.push(entry);
    return found.filter((one) => one !== untried);
  };
  const known = new Map<string, { readonly found: readonly PolicyProblem[]; malformed: boolean }>();
  for (const draft of surroundings.policies) {
    const { policy, malformed } = draft;
    const entry = entries.policies.get(policy.name);
    if (!entry) continue;
    const found = check(entry, policy);
    known.set(policy.name, { found, malformed });
    places.push([entry, checkPolicyDraft(draft, found)]);
  }
  for (const draft of drafts) {
    if (!draft.fields.overrides) continue;
    const choice = choiceOf(draft, surroundings);
    if (!choice || "problem" in choice) continue;
    const before = known.get(choice.policy.name);
    if (!before || before.malformed) continue;
    const found = check(draft.entry, choice.policy);
    places.push([draft.entry, checkOverridden(draft, before.found, found)]);
  }
  return {
    errors: places.flatMap(([entry, { errors }]) => located(entry, errors)),
    warnings: [
      ...places.flatMap(([entry, { warnings }]) => located(entry, warnings)),
      ...aboutUntried(notTried),
    ],
  };
}

/** One warning for all of them. */
function aboutUntried([first, ...others]: readonly Entry[]): Problem[] {
  if (!first) return [];
  const more = others.length === 0 ? "" : ` (nor were ${others.length} others)`;
  return located(first, [{ path: [], message: untried.message + more, atKey: true }]);
}
