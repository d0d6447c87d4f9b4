import type { Target } from "../../target.ts";
import { type Instant, plus } from "../../time.ts";
import { type LiftReason, nearExpiryLead, type Policy } from "../policy.ts";
import { findFreeze, listFrozenSpans } from "../windows/freezes.ts";
import { explain, type ExplainedDue } from "./explain.ts";
import { type Facts, toMoments } from "./facts.ts";
import { computeSpread, decide } from "./placement.ts";

export type { Facts } from "./facts.ts";

/** When the next rotation is due, with an explanation for operators. */
export type Due = ExplainedDue;

/**
 * Computes the next due moment. It may lie before `now` while its window is open. If the window was missed, it lies in the
 * next window. It depends on `now` in no other way, so it can be computed again at any time.
 */
export function computeNextDue(policy: Policy, facts: Facts, now: Instant): Due {
  const moment = Date.parse(now);
  const fraction = () => computeSpread(facts.targetId);
  return explain(policy, decide(policy, toMoments(facts), moment, fraction), moment);
}

export interface Permission {
  readonly allowed: boolean;
  readonly why: string;
}

/**
 * Whether the policy allows a change now. Used for hints such as the near-expiry event, and for due moments that were stored
 * long ago.
 */
export function mayStart(policy: Policy, facts: Facts, now: Instant): Permission {
  const moment = Date.parse(now);
  const decision = decide(policy, toMoments(facts), moment, () => 0);
  const { at, reason } = explain(policy, decision, moment);
  return { allowed: at !== undefined && at <= now, why: reason };
}

/** Whether a change that was requested for this reason may start now. Freezes can delay it, windows cannot. */
export function mayOverride(policy: Policy, now: Instant, reason: LiftReason): Permission {
  const freeze = findFreeze(policy.freeze ?? [], policy.timeZone ?? "UTC", Date.parse(now), reason);
  if (!freeze) return { allowed: true, why: `policy ${policy.name}: no freeze is in force` };
  const why = `policy ${policy.name}: frozen from ${freeze.from} to ${freeze.to} (${freeze.reason})`;
  return { allowed: false, why };
}

/** The last moment that the journal can store. A freeze with the last day 9999-12-31 ends a moment later. */
const lastMoment = Date.parse("9999-12-31T23:59:59.999Z");

/** Returns when the freezes end that delay a change now. Undefined when none does. */
export function findFreezeEnd(
  policy: Policy,
  now: Instant,
  reason: LiftReason,
): Instant | undefined {
  const moment = Date.parse(now);
  const spans = listFrozenSpans(policy.freeze ?? [], policy.timeZone ?? "UTC", reason);
  const span = spans.find(({ from, to }) => from <= moment && moment < to);
  return span && new Date(Math.min(span.to, lastMoment)).toISOString();
}

/**
 * Computes the expiry of a version that is published at `publishedAt`. By default, the near-expiry event of Key Vault falls on
 * the due moment: it can replace a missed sweep, and never starts a loop.
 */
export function computeExpiry(
  policy: Policy,
  publishedAt: Instant,
  targetId: string,
): Instant | undefined {
  if (policy.expiry === "none") return undefined;
  const { at } = computeNextDue(policy, { targetId, changedAt: publishedAt }, publishedAt);
  return at === undefined ? undefined : plus(at, policy.expiry ?? nearExpiryLead);
}

/**
 * Until when a secret that becomes public at `publishedAt` must be valid, at least: through the grace after the next rotation, and as long
 * as people may need to repair what prevents that. Undefined without an interval.
 */
export function findValidUntil(
  { id: targetId, policy, grace }: Pick<Target, "id" | "policy" | "grace">,
  publishedAt: Instant,
): Instant | undefined {
  const { at } = computeNextDue(policy, { targetId, changedAt: publishedAt }, publishedAt);
  return at === undefined ? undefined : plus(at, grace + nearExpiryLead);
}
