import { untried } from "../../core/policy/checks/check-lateness.ts";
import {
  checkPolicy,
  type Problem as PolicyProblem,
} from "../../core/policy/checks/check-policy.ts";
import { newEffort } from "../../core/policy/checks/effort.ts";
import type { Policy } from "../../core/policy/policy.ts";
import type { Instant } from "../../core/time.ts";
import type { Finding, Problem } from "../problems.ts";
import { type Checked, checkOverridden, checkPolicyDraft } from "./policy-checks.ts";

/** A policy to check: as the configuration defines it, or as the overrides of a target change it. */
export interface PolicyCase {
  readonly policy: Policy;
  /** Whether some field of the policy could not be read. */
  readonly malformed: boolean;
  /** Set for a target with overrides: the name of the policy that it overrides, and the overridden fields. */
  readonly own?: { readonly of: string; readonly fields: readonly string[] };
  /** Locates a finding in the files. The path of the finding begins at the policy or at the target. */
  readonly locate: (finding: Finding) => Problem;
}

export interface CheckedCases {
  /** The results of each case, in the order of the cases. */
  readonly each: readonly {
    readonly errors: readonly Problem[];
    readonly warnings: readonly Problem[];
    /** The same warnings, not yet located in the files. */
    readonly findings: readonly Finding[];
  }[];
  /** A warning about cases that were not simulated because the others used up the effort limit. */
  readonly untried: readonly Problem[];
}

/** Checks the policies from `now` on. In `cases`, policies come before the targets that override them. */
export function checkCases(cases: readonly PolicyCase[], now: Instant): CheckedCases {
  const effort = newEffort();
  const notSimulated: PolicyCase[] = [];
  const known = new Map<string, { readonly found: readonly PolicyProblem[]; malformed: boolean }>();
  const each = cases.map((one): Checked => {
    const before = one.own && known.get(one.own.of);
    if (one.own && (!before || before.malformed)) return { errors: [], warnings: [] };
    const all = checkPolicy(one.policy, now, effort);
    if (all.includes(untried)) notSimulated.push(one);
    const found = all.filter((problem) => problem !== untried);
    if (one.own && before) return checkOverridden(one.own.fields, before.found, found);
    known.set(one.policy.name, { found, malformed: one.malformed });
    return checkPolicyDraft(one.malformed, found);
  });
  return {
    each: each.map(({ errors, warnings }, index) => {
      const locate = (finding: Finding) => cases[index]?.locate(finding) ?? [];
      return {
        errors: errors.flatMap(locate),
        warnings: warnings.flatMap(locate),
        findings: warnings,
      };
    }),
    untried: warnAboutUntried(notSimulated),
  };
}

/** Returns one warning for all cases that were not simulated. */
function warnAboutUntried([first, ...others]: readonly PolicyCase[]): Problem[] {
  if (!first) return [];
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return [first.locate({ path: [], message: untried.message + more, atKey: true })];
}
