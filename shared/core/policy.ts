import { createHash } from "node:crypto";
import type { PasswordRules } from "./password.ts";

/** How failures are retried. Distances in milliseconds. */
export interface RetryPolicy {
  /** Tries before the distance becomes `thenEvery`. */
  readonly attempts: number;
  readonly every: number;
  readonly thenEvery: number;
}

/** When a target must be rotated, how its passwords look, how failures are retried. */
export interface Policy {
  readonly name: string;
  /** Maximum age in milliseconds since the last successful change; absent when only a person starts a rotation. */
  readonly every?: number;
  readonly password: PasswordRules;
  readonly retry: RetryPolicy;
}

/** Tells whether a policy is the one a stored due moment was computed from. */
export function policyFingerprint(policy: Policy): string {
  const canonical = JSON.stringify(policy, (_key, value: unknown) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}
