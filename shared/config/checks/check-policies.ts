import { checkPolicy, type Problem as PolicyProblem } from "../../core/policy/checks/check.ts";
import { untried } from "../../core/policy/checks/check-lateness.ts";
import { newEffort } from "../../core/policy/checks/effort.ts";
import type { Policy } from "../../core/policy/policy.ts";
import type { Instant } from "../../core/time.ts";
import type { Finding, Problem } from "../problems.ts";
import { type Checked, checkOverridden, checkPolicyDraft } from "./policy-checks.ts";

/** A policy as the configuration has it, or what a target makes of one: what is to be checked, and where it is written. */
export interface PolicyCase {
  readonly policy: Policy;
  /** Something of it could not be read. */
  readonly malformed: boolean;
  /** Of a target that has fields of its own: the policy it has otherwise, and the names of these fields. */
  readonly own?: { readonly of: string; readonly fields: readonly string[] };
  /** Finds the place of something. Its path begins at the policy, or at the target. */
  readonly locate: (finding: Finding) => Problem;
}

export interface CheckedCases {
  /** Of each case, in the same order. */
  readonly each: readonly {
    readonly errors: readonly Problem[];
    readonly warnings: readonly Problem[];
    /** The same warnings, before it was looked up where they are. */
    readonly findings: readonly Finding[];
  }[];
  /** What is to be said of those that were not tried out, because others took all the effort. */
  readonly untried: readonly Problem[];
}

/** What is wrong with these policies from this moment on. Policies come before the targets that change them. */
export function checkCases(cases: readonly PolicyCase[], now: Instant): CheckedCases {
  const effort = newEffort();
  const notTried: PolicyCase[] = [];
  const known = new Map<string, { readonly found: readonly PolicyProblem[]; malformed: boolean }>();
  const each = cases.map((one): Checked => {
    const before = one.own && known.get(one.own.of);
    if (one.own && (!before || before.malformed)) return { errors: [], warnings: [] };
    const all = checkPolicy(one.policy, now, effort);
    if (all.includes(untried)) notTried.push(one);
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
    untried: aboutUntried(notTried),
  };
}

/** One warning for all of them. */
function aboutUntried([first, ...others]: readonly PolicyCase[]): Problem[] {
  if (!first) return [];
  const more = others.length === 0 ? "" : ` (nor were ${others.length} others)`;
  return [first.locate({ path: [], message: untried.message + more, atKey: true })];
}
