import { type Instant, plus } from "../../time.ts";
import { type LiftReason, nearExpiryLead, type Policy } from "../policy.ts";
import { freezeAt, frozenSpans } from "../windows/freezes.ts";
import { explain, type ExplainedDue } from "./explain.ts";
import { type Facts, toMoments } from "./facts.ts";
import { computeSpread, decide } from "./placement.ts";

export type { Facts } from "./facts.ts";

/** When the next rotation is due, and why then, in words for an operator. */
export type Due = ExplainedDue;

/**
 * A start that lies before `now` is still possible: its window is open. One that has been missed is not given; the
 * next window is. The answer depends on `now` in no other way, so it may be computed again at any time.
 */
export function nextDue(policy: Policy, facts: Facts, now: Instant): Due {
  const moment = Date.parse(now);
  const fraction = () => computeSpread(facts.targetId);
  return explain(policy, decide(policy, toMoments(facts), moment, fraction), moment);
}

export interface Permission {
  readonly allowed: boolean;
  readonly why: string;
}

/**
 * Whether a change may start now, although nothing may require it yet: for hints such as the announcement of an
 * expiry, and for a due moment that was stored long ago.
 */
export function mayStart(policy: Policy, facts: Facts, now: Instant): Permission {
  const moment = Date.parse(now);
  const decision = decide(policy, toMoments(facts), moment, () => 0);
  const { at, reason } = explain(policy, decision, moment);
  return { allowed: at !== undefined && at <= now, why: reason };
}

/** Whether a freeze holds back a change that somebody wants now, for this reason. Windows do not bind people. */
export function mayOverride(policy: Policy, now: Instant, reason: LiftReason): Permission {
  const freeze = freezeAt(policy.freeze ?? [], policy.timeZone ?? "UTC", Date.parse(now), reason);
  if (!freeze) return { allowed: true, why: `policy ${policy.name}: no freeze is in force` };
  const why = `policy ${policy.name}: frozen from ${freeze.from} to ${freeze.to} (${freeze.reason})`;
  return { allowed: false, why };
}

/** Beyond it an instant is none that the journal can hold: a freeze for ever, as people write it, ends a day later. */
const lastMoment = Date.parse("9999-12-31T23:59:59.999Z");

/** When the freezes end that hold back a change now; undefined when none does. */
export function frozenUntil(policy: Policy, now: Instant, reason: LiftReason): Instant | undefined {
  const moment = Date.parse(now);
  const spans = frozenSpans(policy.freeze ?? [], policy.timeZone ?? "UTC", reason);
  const span = spans.find(({ from, to }) => from <= moment && moment < to);
  return span && new Date(Math.min(span.to, lastMoment)).toISOString();
}

/**
 * The expiry a version published at `publishedAt` carries: late enough that Key Vault's near-expiry event falls on
 * the due moment. The event is then a safety net for a missed sweep and never starts a loop.
 */
export function computeExpiry(
  policy: Policy,
  publishedAt: Instant,
  targetId: string,
): Instant | undefined {
  if (policy.expiry === "none") return undefined;
  const { at } = nextDue(policy, { targetId, changedAt: publishedAt }, publishedAt);
  return at === undefined ? undefined : plus(at, policy.expiry ?? nearExpiryLead);
}
