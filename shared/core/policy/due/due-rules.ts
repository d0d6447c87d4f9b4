import { day } from "../../time.ts";
import { matchesAnyGlob } from "../glob.ts";
import { type LiftReason, nearExpiryLead, type Policy, usualGrace } from "../policy.ts";
import type { Moments } from "./facts.ts";

/** A rule of a policy that makes a change due. */
export interface DueRule {
  readonly kind: "age" | "never-changed" | "adoption" | "cron" | "exposure" | "idle" | "end";
  /** When the change is due, in milliseconds since the epoch. -Infinity: as soon as a window is open. */
  readonly due: number;
  /** The first moment at which the change may start: `due` minus the head start. */
  readonly from: number;
  /** Of `end`: no earlier window is taken instead of the due moment. */
  readonly earliest?: number;
  /** The moment from which `due` is counted; of `end`, the end of the secret. */
  readonly since?: number;
  /** Whether windows are ignored. Freezes still apply. */
  readonly anyTime?: boolean;
  readonly lift?: LiftReason;
}

/** Finds every rule that makes a change due, not only the earliest one. */
export function findDueRules(policy: Policy, moments: Moments): DueRule[] {
  const scheduled = policy.manualOnly
    ? []
    : [
        firstChangeRule(policy, moments),
        ageRule(policy, moments),
        idleRule(policy, moments),
        endRule(policy, moments),
      ];
  return [...scheduled, exposureRule(policy, moments)].filter((rule) => rule !== undefined);
}

/** The rule for the first change of a credential that was adopted or has no known change. */
function firstChangeRule(policy: Policy, { changedAt, adoptedAt }: Moments): DueRule | undefined {
  if (adoptedAt !== undefined) {
    if (policy.adopt?.mode !== "rotate" || (changedAt ?? -Infinity) >= adoptedAt) return undefined;
    const due = adoptedAt + (policy.adopt.delay ?? 0);
    return { kind: "adoption", due, from: due, since: adoptedAt };
  }
  const scheduled = policy.every !== undefined || policy.cron !== undefined;
  if (changedAt !== undefined || !scheduled) return undefined;
  return { kind: "never-changed", due: -Infinity, from: -Infinity };
}

/** The rule for `every` and `cron`. Without a known change, the age counts from the adoption. */
function ageRule(policy: Policy, { changedAt, adoptedAt }: Moments): DueRule | undefined {
  const since = changedAt ?? adoptedAt;
  if (since === undefined) return undefined;
  if (policy.every !== undefined) {
    const due = since + policy.every;
    return { kind: "age", due, from: due - (policy.headStart ?? 0), since };
  }
  if (policy.cron === undefined) return undefined;
  // An appointment at the exact moment of the last change counts as done.
  const due = since + 1;
  return { kind: "cron", due, from: due, since };
}

/** The rule for `afterIdle`. A target that stays unused is due again `afterIdle` after its change, not at once. */
function idleRule(policy: Policy, { changedAt, lastUsedAt }: Moments): DueRule | undefined {
  if (policy.afterIdle === undefined || lastUsedAt === undefined) return undefined;
  const since = Math.max(lastUsedAt, changedAt ?? -Infinity);
  const due = since + policy.afterIdle;
  return { kind: "idle", due, from: due, since };
}

function exposureRule(policy: Policy, moments: Moments): DueRule | undefined {
  const { changedAt, exposedAt, exposureBy, exposureKind } = moments;
  if (policy.afterExposure === undefined || exposedAt === undefined) return undefined;
  if (changedAt !== undefined && changedAt > exposedAt) return undefined;
  if (exposureBy !== undefined && isExempt(policy, exposureBy)) return undefined;
  const due = exposedAt + policy.afterExposure;
  const anyTime = policy.exposureIgnoresWindow ?? false;
  return { kind: "exposure", due, from: due, since: exposedAt, anyTime, lift: exposureKind };
}

/** Whether an exposure to this identity has no effect. */
export function isExempt({ exemptIdentities = [] }: Policy, identity: string): boolean {
  return matchesAnyGlob(
    exemptIdentities.map((pattern) => pattern.toLowerCase()),
    identity.toLowerCase(),
  );
}

/** Milliseconds that are left for retries and repairs, at least, before the system ends a secret that consumers need. */
const leastRoom = 7 * day;

/**
 * The rule for a secret that the system ends. The next one must be published while the superseded one is still valid for its grace, and
 * early enough for retries and repairs. A secret that has less time left from the beginning is replaced after half of that time, so that
 * the rotation does not follow an undo or an import at once.
 */
function endRule(policy: Policy, { changedAt, adoptedAt, endsAt }: Moments): DueRule | undefined {
  if (endsAt === undefined) return undefined;
  const since = changedAt ?? adoptedAt ?? -Infinity;
  const half = Math.floor(Math.min(endsAt, (since + endsAt) / 2));
  const due = Math.max(endsAt - findMargin(policy), half);
  const earliest = Math.floor((since + due) / 2);
  return { kind: "end", due, from: due, earliest, since: endsAt };
}

/** Milliseconds before the end of a secret at which its rotation is due. */
export function findMargin({ grace = usualGrace, retry }: Policy): number {
  const tries = retry.attempts * retry.every + 2 * retry.thenEvery;
  return grace + Math.min(Math.max(tries, leastRoom), nearExpiryLead);
}
