import { withClaim } from "../../../shared/core/lifecycle/decide.ts";
import { withDue } from "../../../shared/core/record/due.ts";
import { type Rotation, type TargetRecord } from "../../../shared/core/record/record.ts";
import { computeFingerprint, type Target } from "../../../shared/core/target.ts";
import { day, type Instant, plus } from "../../../shared/core/time.ts";
import { adopted, at, begun, failure, now, target as orders, version } from "../orders.ts";

export interface Case {
  readonly name: string;
  readonly target: Target;
  readonly record: TargetRecord;
  readonly now: Instant;
}

export const refusedRight =
  "Account orders_b cannot be changed: keyturn_admin lacks ADMIN OPTION on it. Run: GRANT orders_b TO keyturn_admin WITH ADMIN OPTION.";
export const silentServer = "the server orders.example.com:5432 did not answer within 10s";
export const weekends: Target = {
  ...orders,
  policy: { ...orders.policy, days: ["sat"], timeZone: "Europe/Vienna" },
};
export const frozen: Target = {
  ...orders,
  policy: {
    ...orders.policy,
    freeze: [{ from: "2026-02-20", to: "2026-03-10", reason: "spring sale", lift: ["breach"] }],
  },
};

export const exposable: Target = { ...orders, policy: { ...orders.policy, afterExposure: day } };

const slots = [
  { account: "orders_a", current: version(1), changedAt: now },
  { account: "orders_b" },
];
/** A healthy target whose last rotation succeeded at `changedAt`. */
export function healthy(target = orders, changedAt = now, moment = now): TargetRecord {
  const record: TargetRecord = {
    ...adopted,
    adoptedAt: plus(changedAt, -day),
    lastSuccessAt: changedAt,
    slots: slots.map((slot) => ({ ...slot, ...("current" in slot && { changedAt }) })),
    policyFingerprint: computeFingerprint(target),
  };
  return withDue(record, target, moment);
}

export const late = at(91 * 24 * 60);
export const due = { ...healthy(), nextDue: at(90 * 24 * 60) };
const open = begun();
export const requested = {
  rotationId: "r2",
  reason: "operator",
  requestedBy: "anna",
  at: now,
} as const;
export const withRotation = (fields: Partial<Rotation>, more: Partial<TargetRecord> = {}) => ({
  ...open,
  ...more,
  rotation: { ...open.rotation, ...fields },
});
export const claimed = (record: TargetRecord, moment = now) =>
  withClaim(record, { fence: 3, owner: "w7" }, moment);
export const failed = (kind: Parameters<typeof failure>[0], message: string) => ({
  ...failure(kind),
  message,
});
export const again = {
  why: "another attempt, because rotation r1 failed",
  reason: "operator",
  requestedBy: "anna",
} as const;

export const single: Target = { ...orders, slots: [{ account: "orders_a" }] };
export const tooManyRefusals = (account: string) =>
  [1, 2, 3, 4].map((minute) => ({ account, version: "2", at: at(minute) }));
