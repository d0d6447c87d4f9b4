import { day, formatDuration, type Instant, minute, second, toInstantAt } from "../../time.ts";
import type { Policy } from "../policy.ts";
import { formatLocal } from "../windows/calendar.ts";
import { findFreeze } from "../windows/freezes.ts";
import { findOpenings } from "../windows/openings.ts";
import type { DueRule } from "./due-rules.ts";
import type { Decision, Placement } from "./placement.ts";

export interface PassedOver {
  readonly at: Instant;
  readonly why: string;
}

export interface ExplainedDue {
  readonly at?: Instant;
  readonly reason: string;
  /** At most ten moments that were candidates, and why they were not chosen. */
  readonly passedOver: readonly PassedOver[];
  /** The name of the policy. */
  readonly policy: string;
}

const maxPassedOver = 10;
const missedHorizon = 100 * day;

/** Describes a decision in words. It is separate from `decide`, which runs far more often. */
export function explain(policy: Policy, decision: Decision, now: number): ExplainedDue {
  const { chosen, lost } = decision;
  const intro = `policy ${policy.name}: `;
  if (chosen === undefined) {
    return { reason: intro + explainNever(policy, lost), passedOver: [], policy: policy.name };
  }
  return {
    at: toInstantAt(chosen.at === -Infinity ? now : chosen.at),
    reason: intro + describeReason(policy, chosen),
    passedOver: listPassedOver(policy, chosen, decision, now),
    policy: policy.name,
  };
}

export function explainNever(policy: Policy, lost: readonly DueRule[]): string {
  if (lost.length > 0) return "no window opens in the next ten years";
  if (policy.manualOnly) return "manualOnly is set, so only a request starts a rotation";
  return "no schedule is set, and nothing else has made a rotation due";
}

/** Describes a due moment, such as `due 90d after …; starts in the window from Sat 2026-10-31 22:00 Europe/Vienna; delayed by 37 min (spread)`. */
export function describeReason(policy: Policy, placement: Placement): string {
  const { rule, at, permitted, opening } = placement;
  const zone = policy.timeZone ?? "UTC";
  const parts = [describeRule(policy, rule)];
  if (rule.from < rule.due) {
    parts.push(`may start ${formatDuration(rule.due - rule.from)} earlier (headStart)`);
  }
  if (rule.anyTime) parts.push("ignores windows");
  if (opening.from > rule.from) {
    parts.push(`${describeWait(policy, rule)} ${formatLocal(opening.from, zone)}`);
  }
  if (at > permitted) parts.push(`delayed by ${about(at - permitted)} (spread)`);
  return parts.join("; ");
}

function describeWait(policy: Policy, rule: DueRule): string {
  if (findOpenings(policy, rule).appointments) return "scheduled for";
  const hasWindows = !rule.anyTime && (policy.days ?? policy.between) !== undefined;
  return hasWindows ? "starts in the window from" : "delayed by a freeze until";
}

const phrases: Readonly<Record<DueRule["kind"], (policy: Policy, since: string) => string>> = {
  age: ({ every = 0 }, since) => `due ${formatDuration(every)} after ${since}`,
  "never-changed": () => "due as soon as possible, because the secret was never changed",
  adoption: ({ adopt }, since) =>
    `due ${formatDuration(adopt?.delay ?? 0)} after the adoption at ${since}`,
  cron: ({ cron = "" }, since) => `due by cron ${cron}; last changed at ${since}`,
  exposure: ({ afterExposure = 0 }, since) =>
    `due ${formatDuration(afterExposure)} after the exposure at ${since}`,
  end: (_, since) => `due before the system ends the secret at ${since}`,
  idle: ({ afterIdle = 0 }, since) =>
    `due after ${formatDuration(afterIdle)} without use since ${since}`,
};

function describeRule(policy: Policy, { kind: rule, since }: DueRule): string {
  return phrases[rule](policy, since === undefined ? "" : toInstantAt(since));
}

function listPassedOver(
  policy: Policy,
  chosen: Placement,
  { later, lost }: Decision,
  now: number,
): PassedOver[] {
  const others = later.map((one) => ({
    at: toInstantAt(one.at),
    why: `later: ${describeReason(policy, one)}`,
  }));
  const never = lost.map((rule) => ({
    at: toInstantAt(Number.isFinite(rule.due) ? rule.due : now),
    why: `no window ever opens: ${describeRule(policy, rule)}`,
  }));
  return [...listMissed(policy, chosen), ...others, ...never].slice(0, maxPassedOver);
}

/** Lists the openings before the chosen one in which the change might have started. */
function listMissed(policy: Policy, { rule, opening }: Placement): PassedOver[] {
  if (!Number.isFinite(rule.from) || opening.from <= rule.from) return [];
  const zone = policy.timeZone ?? "UTC";
  const openings = findOpenings({ ...policy, freeze: [] }, rule);
  const found: PassedOver[] = [];
  const before = openings.each(rule.from, Math.min(opening.from, rule.from + missedHorizon));
  for (const span of before) {
    if (openings.appointments && span.from < rule.from) continue;
    if (found.length === maxPassedOver) break;
    const at = Math.max(span.from, rule.from);
    const freeze = findFreeze(policy.freeze ?? [], zone, at, rule.lift);
    const why = freeze
      ? `frozen until ${freeze.to} (${freeze.reason})`
      : "no rotation started in this window";
    found.push({ at: toInstantAt(at), why: `${formatLocal(at, zone)}: ${why}` });
  }
  return found;
}

/** Formats a time in minutes, or in seconds if it is shorter than a minute. */
function about(milliseconds: number): string {
  return milliseconds < minute
    ? `${Math.ceil(milliseconds / second)} s`
    : `${Math.round(milliseconds / minute)} min`;
}
