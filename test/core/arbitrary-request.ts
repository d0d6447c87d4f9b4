import fc from "fast-check";
import type { GivenSecret } from "../../shared/core/record/given.ts";
import type { Justification } from "../../shared/core/record/justification.ts";
import {
  type DatedRequest,
  type GivenRequest,
  type Lift,
  type QueuedRequest,
  reasons,
  type RotationRequest,
} from "../../shared/core/record/record.ts";
import type { VersionRef } from "../../shared/core/target.ts";
import type { Instant } from "../../shared/core/time.ts";

/** What a record is made of. A new field of the type does not compile until it is here. */
export type Fields<T> = { readonly [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> };

/** Few values, so that they are often equal. */
export const arbitraryMoment: fc.Arbitrary<Instant> = fc
  .integer({ min: 0, max: 9 })
  .map((minute) => `2026-03-01T10:0${minute}:00.000Z`);

export const account = fc.constantFrom("orders_a", "orders_b");
export const count = fc.nat({ max: 5 });

export const versionId = fc.nat({ max: 30 }).map(String);

export const arbitraryVersion: fc.Arbitrary<VersionRef> = fc.record({
  vault: fc.constant("main"),
  name: fc.constantFrom("orders-db", "keyturn-pending-orders"),
  version: versionId,
});

export const justifications = {
  reason: fc.string(),
  ticket: fc.string(),
} satisfies Fields<Justification>;
export const justification = fc.record(justifications, { requiredKeys: [] });

export const lift = fc.record({
  why: fc.string(),
  by: fc.string(),
  at: arbitraryMoment,
} satisfies Fields<Lift>);

export const given = fc.record(
  {
    by: fc.constantFrom("import" as const, "undo" as const),
    account,
    ref: arbitraryVersion,
    mayApply: fc.boolean(),
    wasRefused: fc.boolean(),
    wasAccepted: fc.boolean(),
    sameAs: versionId,
  } satisfies Fields<GivenSecret>,
  { requiredKeys: ["by", "account", "ref", "mayApply"] },
);

const requested = {
  rotationId: fc.uuid(),
  reason: fc.constantFrom(...reasons),
  requestedBy: fc.string(),
  at: arbitraryMoment,
  notBefore: arbitraryMoment,
  heldBy: fc.string(),
  grace: count,
  lift,
  force: lift,
  justification,
  why: fc.string(),
} satisfies Fields<RotationRequest>;

export const arbitraryRequest: fc.Arbitrary<RotationRequest> = fc.record(requested, {
  requiredKeys: ["rotationId", "reason", "requestedBy", "at"],
});

export const queuedRequest: fc.Arbitrary<QueuedRequest> = fc.record(
  { ...requested, hurries: fc.uuid() } satisfies Fields<QueuedRequest>,
  { requiredKeys: ["rotationId", "reason", "requestedBy", "at"] },
);

export const givenRequest: fc.Arbitrary<GivenRequest> = fc.record(
  { ...requested, secret: given } satisfies Fields<GivenRequest>,
  { requiredKeys: ["rotationId", "reason", "requestedBy", "at", "secret"] },
);

export const datedRequest: fc.Arbitrary<DatedRequest> = fc.record(
  requested satisfies Fields<DatedRequest>,
  { requiredKeys: ["rotationId", "reason", "requestedBy", "at", "notBefore"] },
);
