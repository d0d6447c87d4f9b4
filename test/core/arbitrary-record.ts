import fc from "fast-check";
import {
  type Exposure,
  reasons,
  recordSchema,
  type Rotation,
  type RotationRequest,
  type TargetRecord,
  workingPhases,
} from "../../shared/core/record/record.ts";
import type { VersionRef } from "../../shared/core/target.ts";
import type { Instant } from "../../shared/core/time.ts";

/** Few values, so that they are often equal. */
export const arbitraryMoment: fc.Arbitrary<Instant> = fc
  .integer({ min: 0, max: 9 })
  .map((minute) => `2026-03-01T10:0${minute}:00.000Z`);

const account = fc.constantFrom("orders_a", "orders_b");
const count = fc.nat({ max: 5 });

export const arbitraryVersion: fc.Arbitrary<VersionRef> = fc.record({
  vault: fc.constant("main"),
  name: fc.constantFrom("orders-db", "keyturn-pending-orders"),
  version: fc.nat({ max: 30 }).map(String),
});

const failure = fc.record({
  kind: fc.constant("change-refused" as const),
  message: fc.string(),
  at: arbitraryMoment,
});

const justification = fc.record({ reason: fc.string(), ticket: fc.string() }, { requiredKeys: [] });

const lift = fc.record({ why: fc.string(), by: fc.string(), at: arbitraryMoment });

export const arbitraryRequest: fc.Arbitrary<RotationRequest> = fc.record(
  {
    rotationId: fc.uuid(),
    reason: fc.constantFrom(...reasons),
    requestedBy: fc.string(),
    at: arbitraryMoment,
    notBefore: arbitraryMoment,
    heldBy: fc.string(),
    throttledSince: arbitraryMoment,
    grace: count,
    lift,
    force: lift,
    justification,
    why: fc.string(),
  },
  { requiredKeys: ["rotationId", "reason", "requestedBy", "at"] },
);

export const arbitraryRotation: fc.Arbitrary<Rotation> = fc.record(
  {
    id: fc.uuid(),
    why: fc.string(),
    policyFingerprint: fc.string(),
    account,
    reason: fc.constantFrom(...reasons),
    requestedBy: fc.string(),
    requestedAt: arbitraryMoment,
    phase: fc.constantFrom(...workingPhases, "blocked" as const),
    startedAt: arbitraryMoment,
    phases: fc.array(
      fc.record(
        {
          phase: fc.constantFrom(...workingPhases),
          startedAt: arbitraryMoment,
          endedAt: arbitraryMoment,
        },
        { requiredKeys: ["phase", "startedAt"] },
      ),
      { maxLength: 3 },
    ),
    furthest: fc.constantFrom(...workingPhases),
    pending: arbitraryVersion,
    changeBegan: fc.boolean(),
    outcomeInDoubt: fc.boolean(),
    confirmedAt: arbitraryMoment,
    published: arbitraryVersion,
    failures: count,
    nextAttemptAt: arbitraryMoment,
    heldBy: fc.string(),
    throttledSince: arbitraryMoment,
    grace: count,
    lift,
    force: lift,
    justification,
  },
  {
    requiredKeys: [
      "id",
      "why",
      "policyFingerprint",
      "account",
      "reason",
      "requestedBy",
      "requestedAt",
      "phase",
      "startedAt",
      "phases",
      "furthest",
      "changeBegan",
      "failures",
    ],
  },
);

const slot = fc.record(
  {
    account,
    current: arbitraryVersion,
    previous: arbitraryVersion,
    abandoned: arbitraryVersion,
    abandonedBefore: fc.array(arbitraryVersion, { maxLength: 4 }),
    changedAt: arbitraryMoment,
  },
  { requiredKeys: ["account"] },
);

const arbitraryExposure: fc.Arbitrary<Exposure> = fc.record(
  {
    at: arbitraryMoment,
    by: fc.string(),
    from: fc.string(),
    kind: fc.constantFrom("exposure", "breach"),
    version: fc.nat({ max: 30 }).map(String),
    justification,
  },
  { requiredKeys: ["at", "by", "kind"] },
);

const notification = fc.record({
  id: fc.uuid(),
  type: fc.constantFrom("rotation.started" as const, "alarm" as const),
  targetId: fc.constant("orders"),
  at: arbitraryMoment,
  data: fc.constant({}),
});

const unclaimed: fc.Arbitrary<TargetRecord> = fc.record(
  {
    schema: fc.constant(recordSchema),
    targetId: fc.constant("orders"),
    health: fc.constantFrom("new", "healthy", "failing", "blocked"),
    slots: fc.uniqueArray(slot, { maxLength: 2, selector: (one) => one.account }),
    active: account,
    published: arbitraryVersion,
    adoptedAt: arbitraryMoment,
    lastSuccessAt: arbitraryMoment,
    lastFailure: failure,
    failures: count,
    rotation: arbitraryRotation,
    request: arbitraryRequest,
    superseded: fc.record({ account, at: arbitraryMoment }),
    refusedSince: arbitraryMoment,
    again: fc.record(
      {
        reason: fc.constant("exposure" as const),
        requestedBy: fc.string(),
        why: fc.string(),
        force: lift,
      },
      { requiredKeys: ["reason", "requestedBy", "why"] },
    ),
    pause: fc.record({
      reason: fc.string(),
      by: fc.string(),
      at: arbitraryMoment,
      until: arbitraryMoment,
    }),
    retirement: fc.record(
      {
        account,
        at: arbitraryMoment,
        rotationId: fc.uuid(),
        failures: count,
        proof: fc.record(
          { seenInUse: count, quietSince: arbitraryMoment },
          { requiredKeys: ["seenInUse"] },
        ),
      },
      { requiredKeys: ["account", "at", "rotationId", "failures"] },
    ),
    check: fc.record({ at: arbitraryMoment, why: fc.string(), failures: count }),
    verifiedAt: arbitraryMoment,
    heartbeat: fc.record({ at: arbitraryMoment, failures: count }),
    refusals: fc.array(fc.record({ account, version: fc.uuid(), at: arbitraryMoment }), {
      maxLength: 2,
    }),
    tidiedAt: arbitraryMoment,
    exposure: arbitraryExposure,
    lastUsedAt: arbitraryMoment,
    lastUsedBy: fc.string(),
    nextDue: arbitraryMoment,
    dueReason: fc.string(),
    passedOver: fc.array(fc.record({ at: arbitraryMoment, why: fc.string() }), { maxLength: 2 }),
    policyFingerprint: fc.string(),
    policyWhy: fc.string(),
    policiesPassedOver: fc.array(fc.record({ policy: fc.string(), why: fc.string() }), {
      maxLength: 2,
    }),
    outbox: fc.array(notification, { maxLength: 3 }),
    outboxRetryAt: arbitraryMoment,
    skipped: fc.record({ at: arbitraryMoment, until: arbitraryMoment, why: fc.string() }),
    restUntil: arbitraryMoment,
    claim: fc.record({ fence: count }),
  },
  {
    requiredKeys: ["schema", "targetId", "health", "slots", "failures", "outbox", "claim"],
  },
);

/** Any record that the types allow and nobody has claimed; often its request has joined the open rotation. */
export const arbitraryUnclaimed: fc.Arbitrary<TargetRecord> = fc
  .tuple(unclaimed, fc.boolean())
  .map(([record, isJoined]) =>
    isJoined && record.request && record.rotation
      ? { ...record, request: { ...record.request, rotationId: record.rotation.id } }
      : record,
  );
