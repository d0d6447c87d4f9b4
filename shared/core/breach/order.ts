import { count } from "../explanation/words.ts";
import { findUnansweredExposure } from "../lifecycle/exposure.ts";
import { findLastChange } from "../record/due.ts";
import type { Instant } from "../time.ts";
import type { Candidate } from "./candidate.ts";

/** Compares two candidates by one rule; negative when `a` goes first. */
type Rule = (a: Candidate, b: Candidate) => number;

/**
 * The most exposed target first:
 * 1. a reported breach, then a reported exposure, then no report; of two, the earlier one;
 * 2. an account that changes the passwords of others, of most others first: anyone who has it can set any of them;
 * 3. the secret that most consumers read: it is in most places;
 * 4. the oldest password: it was known for the longest time;
 * 5. the id of the target, so that the order is the same each time.
 */
const rules: readonly Rule[] = [
  (a, b) => rankReport(a) - rankReport(b),
  (a, b) => compare(findReport(a)?.at ?? "", findReport(b)?.at ?? ""),
  (a, b) => b.adminOf - a.adminOf,
  (a, b) => b.target.consumers.length - a.target.consumers.length,
  (a, b) => compare(changedAt(a) ?? "", changedAt(b) ?? ""),
  (a, b) => compare(a.target.id, b.target.id),
];

export function orderByExposure(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((a, b) => {
    for (const rule of rules) {
      const result = rule(a, b);
      if (result !== 0) return result;
    }
    return 0;
  });
}

/** Why a target has its place, in words for an operator. */
export function describePlace(candidate: Candidate): string {
  const report = findReport(candidate);
  const { adminOf, target } = candidate;
  const at = changedAt(candidate);
  const consumers = target.consumers.length;
  return [
    ...(report ? [`${report.kind} reported by ${report.by}, at ${report.at}`] : []),
    ...(adminOf > 0 ? [`changes the passwords of ${count(adminOf, "other target")}`] : []),
    ...(consumers > 0 ? [`read by ${count(consumers, "consumer")}`] : []),
    at === undefined ? "age of the password not known" : `password of ${at}`,
  ].join("; ");
}

function findReport({ record }: Candidate) {
  return record && findUnansweredExposure(record);
}

function rankReport(candidate: Candidate): number {
  const report = findReport(candidate);
  if (!report) return 2;
  return report.kind === "breach" ? 0 : 1;
}

function changedAt({ record }: Candidate): Instant | undefined {
  return record && findLastChange(record);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
