import type { ErrorKind } from "../../shared/core/errors.ts";
import { beginRotation } from "../../shared/core/lifecycle/progress.ts";
import {
  type Failure,
  type Rotation,
  type StartReason,
  type TargetRecord,
} from "../../shared/core/record/record.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import type { Target } from "../../shared/core/target.ts";
import { day, hour, minute, plus } from "../../shared/core/time.ts";

export const at = (minutes: number) => plus("2026-03-01T10:00:00.000Z", minutes * minute);
export const now = at(0);
export const version = (number: number) => ({
  vault: "main",
  name: "orders-db",
  version: `${number}`,
});
export const target: Target = {
  id: "orders",
  type: "memory",
  options: {},
  slots: [{ account: "orders_a" }, { account: "orders_b" }],
  authority: { as: "identity" },
  publish: { vault: "main", name: "orders-db", as: "json" },
  policy: {
    name: "quarterly",
    every: 90 * day,
    password: { length: 40, symbols: "-", exclude: "" },
    retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
  },
  policyWhy: "named by the target",
  policiesPassedOver: [],
  grace: hour,
  consumers: [],
  tags: {},
};
export const request = {
  rotationId: "r1",
  reason: "operator",
  requestedBy: "anna",
  at: now,
} as const;
export const grounds: StartReason = { why: "requested by anna", policyFingerprint: "f" };
export const failure = (kind: ErrorKind): Failure => ({ kind, message: "It said no.", at: at(5) });

export const adopted: TargetRecord = {
  ...newRecord("orders"),
  health: "healthy",
  adoptedAt: now,
  active: "orders_a",
  published: version(1),
  slots: [{ account: "orders_a", current: version(1) }],
};

export function begun(record = adopted): TargetRecord & { readonly rotation: Rotation } {
  const after = beginRotation(
    { ...record, request },
    { account: "orders_b", request, grounds, now },
  );
  if (!after.rotation) throw new Error("it was to be begun");
  return { ...after, rotation: after.rotation };
}
