import { attempt, type Effort, newEffort } from "../../core/policy/checks/effort.ts";
import { findLongestAge } from "../../core/policy/checks/trials.ts";
import { nearExpiryLead, type Policy, usualGrace } from "../../core/policy/policy.ts";
import { day, formatDuration, formatLength, type Instant, minute } from "../../core/time.ts";
import type { Finding, Problem } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import { choosePolicyFor } from "./choices.ts";
import { type CheckContext, findLifetime, isMalformed, type TargetDraft } from "./drafts.ts";

/** The option of every rotator whose system ends its secrets. */
const option = "lifetime";

export interface CheckedLifetimes {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Compares how long new secrets are valid with the policies that replace them. An error: every rotation would be refused. A warning: some
 * would, or nothing replaces the secrets. `except` names the policies with problems, which cannot be simulated.
 */
export function checkLifetimes(
  drafts: readonly TargetDraft[],
  context: CheckContext,
  { now, except }: { readonly now: Instant; readonly except: ReadonlySet<string> },
): CheckedLifetimes {
  const effort = newEffort();
  const found = drafts.flatMap((draft) => {
    const lifetime = findLifetime(draft);
    const choice = lifetime === undefined ? undefined : choosePolicyFor(draft, context);
    if (lifetime === undefined || !choice || "problem" in choice) return [];
    if (isMalformed(draft, "grace") || except.has(choice.policy.name)) return [];
    return check({ draft, lifetime, policy: choice.policy }, Date.parse(now), effort) ?? [];
  });
  const locate = ({ draft: { entry }, finding }: Found) =>
    entry.source.locate({ ...finding, path: [...entry.path, ...finding.path] });
  return {
    errors: found.filter(({ isError }) => isError).flatMap(locate),
    warnings: found.filter(({ isError }) => !isError).flatMap(locate),
  };
}

interface Checked {
  readonly draft: TargetDraft;
  readonly lifetime: number;
  readonly policy: Policy;
}

interface Found {
  readonly draft: TargetDraft;
  readonly isError: boolean;
  readonly finding: Finding;
}

function check(checked: Checked, from: number, effort: Effort): Found | undefined {
  const { draft, lifetime, policy } = checked;
  const path = ["options", option];
  if (policy.manualOnly) {
    const message = `is ${formatDuration(lifetime)}, and policy ${policy.name} starts no rotation before the system ends a secret (manualOnly); use a policy with every, or request each rotation in time`;
    return { draft, isError: false, finding: { path, message } };
  }
  const longest = attempt(effort, (own) => findLongestAge(policy, from, own))?.found;
  if (longest === undefined) return undefined;
  const rest = (draft.fields.grace ?? policy.grace ?? usualGrace) + nearExpiryLead;
  // The clock of the system may be behind.
  const isEnough = (age: number) => lifetime > age + rest + minute;
  if (isEnough(longest)) return undefined;
  const message =
    `is ${formatDuration(lifetime)}, but a secret must be valid for more than ${formatLength(longest + rest)}: up to ${formatLength(longest)} ` +
    `until the next rotation by policy ${policy.name}, ${formatLength(rest - nearExpiryLead)} of grace, and ${formatLength(nearExpiryLead)} for repairs; ` +
    describeWay(checked, longest, rest);
  const isError = !isEnough(policy.every ?? longest);
  return { draft, isError, finding: { path, message } };
}

/** What to write. The system may not permit a longer lifetime. */
function describeWay({ draft, lifetime, policy }: Checked, longest: number, rest: number): string {
  const written = `${Math.floor((longest + rest + minute) / day) + 1}d`;
  const options = isRecord(draft.entry.value) ? draft.entry.value["options"] : undefined;
  const longer = { ...(isRecord(options) ? options : {}), [option]: written };
  if (draft.rotator?.options.safeParse(longer).success === true)
    return `write ${option}: ${written}`;
  const { every } = policy;
  const shorter =
    every === undefined ? 0 : Math.ceil((lifetime - rest - (longest - every)) / day) - 1;
  return shorter >= 1
    ? `use a policy with every: ${shorter}d or shorter`
    : "use a policy that rotates more often";
}
