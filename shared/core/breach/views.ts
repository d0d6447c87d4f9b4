import type { Instant } from "../time.ts";
import { type Breach, type BreachItem, type BreachState, isOpen } from "./breach.ts";

/** A breach as people and tools see it. */
export interface BreachView extends Omit<
  Breach,
  "schema" | "state" | "fingerprint" | "nextAt" | "outbox"
> {
  readonly state: BreachState | "expired";
  /**
   * Seconds until the last rotation ends, if nothing fails; of a preview, if it were confirmed now. Absent while targets wait, because
   * nobody knows how long.
   */
  readonly remainingSeconds?: number;
}

/** One target of a breach as people and tools see it. */
export type BreachTargetView = Omit<
  BreachItem,
  "schema" | "breachId" | "targetId" | "fingerprint"
> & {
  readonly target: string;
};

export function viewBreach(breach: Breach, now: Instant): BreachView {
  const { schema: _s, fingerprint: _f, nextAt: _n, outbox: _o, state, ...rest } = breach;
  const { counts, estimate, summary, waits } = breach;
  const left = (counts.waiting + counts.begun) / Math.max(summary.targets, 1);
  return {
    ...rest,
    state: state === "preview" && !isOpen(breach, now) ? "expired" : state,
    ...(!waits && { remainingSeconds: Math.ceil(estimate.seconds * left) }),
  };
}

export function viewItem(item: BreachItem): BreachTargetView {
  const { schema: _s, breachId: _b, fingerprint: _f, targetId: target, ...rest } = item;
  return { target, ...rest };
}
