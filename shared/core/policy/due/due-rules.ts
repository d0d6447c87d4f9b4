import { matchesAnyGlob } from "../glob.ts";
import type { LiftReason, Policy } from "../policy.ts";
import type { Moments } from "./facts.ts";

/** One rule of a policy by which a change is due. */
export interface DueRule {
  readonly rule: "age" | "never-changed" | "adoption" | "cron" | "exposure" | "idle";
  /** When the change is due, in milliseconds since the epoch; -Infinity for as soon as a window is open. */
  readonly due: number;
  /** From when on it may start: `due` without the head start. */
  readonly from: number;
  /** What `due` was counted from. */
  readonly since?: number;
  /** Only freezes count. */
  readonly anyTime?: boolean;
  readonly lift?: LiftReason;
}

/** Every rule that makes a change due, whether or not another one does so earlier. */
export function findDueRules(policy: Policy, moments: Moments): DueRule[] {
  const scheduled = policy.manualOnly
    ? []
    : [firstClaim(policy, moments), ageClaim(policy, moments), idleClaim(policy, moments)];
  return [...scheduled, exposureClaim(policy, moments)].filter((claim) => claim !== undefined);
}

/** The first change of a credential that was adopted, or that nobody has ever changed. */
function firstClaim(policy: Policy, { changedAt, adoptedAt }: Moments): DueRule | undefined {
  if (adoptedAt !== undefined) {
    if (policy.adopt?.mode !== "rotate" || (changedAt ?? -Infinity) >= adoptedAt) return undefined;
    const due = adoptedAt + (policy.adopt.delay ?? 0);
    return { rule: "adoption", due, from: due, since: adoptedAt };
  }
  const scheduled = policy.every !== undefined || policy.cron !== undefined;
  if (changedAt !== undefined || !scheduled) return undefined;
  return { rule: "never-changed", due: -Infinity, from: -Infinity };
}

/** Age counts from the adoption when nobody knows of a change. */
function ageClaim(policy: Policy, { changedAt, adoptedAt }: Moments): DueRule | undefined {
  const since = changedAt ?? adoptedAt;
  if (since === undefined) return undefined;
  if (policy.every !== undefined) {
    const due = since + policy.every;
    return { rule: "age", due, from: due - (policy.headStart ?? 0), since };
  }
  if (policy.cron === undefined) return undefined;
  // An appointment at the very moment of the last change has been kept.
  const due = since + 1;
  return { rule: "cron", due, from: due, since };
}

/** A target that is still unused after the change is due again this long after the change, not at once. */
function idleClaim(policy: Policy, { changedAt, lastUsedAt }: Moments): DueRule | undefined {
  if (policy.afterIdle === undefined || lastUsedAt === undefined) return undefined;
  const since = Math.max(lastUsedAt, changedAt ?? -Infinity);
  const due = since + policy.afterIdle;
  return { rule: "idle", due, from: due, since };
}

function exposureClaim(policy: Policy, moments: Moments): DueRule | undefined {
  const { changedAt, exposedAt, exposureBy, exposureKind } = moments;
  if (policy.afterExposure === undefined || exposedAt === undefined) return undefined;
  if (changedAt !== undefined && changedAt > exposedAt) return undefined;
  if (exposureBy !== undefined && isExempt(policy, exposureBy)) return undefined;
  const due = exposedAt + policy.afterExposure;
  const anyTime = policy.exposureIgnoresWindow ?? false;
  return { rule: "exposure", due, from: due, since: exposedAt, anyTime, lift: exposureKind };
}

/** Whether somebody may see the secret without starting the clock. */
export function isExempt({ exemptIdentities = [] }: Policy, identity: string): boolean {
  return matchesAnyGlob(
    exemptIdentities.map((pattern) => pattern.toLowerCase()),
    identity.toLowerCase(),
  );
}
