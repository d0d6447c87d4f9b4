import type { Policy } from "./policy.ts";
import { day, formatDuration, type Instant, plus } from "./time.ts";

/** When the next rotation is due, and why then, in words for an operator. */
export interface Due {
  readonly at?: Instant;
  readonly reason: string;
}

/** Key Vault announces an expiry this long before it happens; fixed by the platform. */
const nearExpiryLead = 30 * day;

/** `changedAt` is the last successful change, by whomever; absent when nobody knows of one. */
export function nextDue(policy: Policy, changedAt: Instant | undefined, now: Instant): Due {
  if (policy.every === undefined) {
    return { reason: `policy ${policy.name}: only a person starts a rotation` };
  }
  if (changedAt === undefined) {
    return { at: now, reason: `policy ${policy.name}: never changed before` };
  }
  return {
    at: plus(changedAt, policy.every),
    reason: `policy ${policy.name}: ${formatDuration(policy.every)} after ${changedAt}`,
  };
}

/**
 * The expiry a version published at `publishedAt` carries: late enough that Key Vault's near-expiry event falls on
 * the due moment. The event is then a safety net for a missed sweep and never starts a loop.
 */
export function expiryOf(policy: Policy, publishedAt: Instant): Instant | undefined {
  return policy.every === undefined ? undefined : plus(publishedAt, policy.every + nearExpiryLead);
}
