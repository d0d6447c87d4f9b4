import fc from "fast-check";
import { sortDated } from "../../shared/core/lifecycle/dated.ts";
import type { NotChosen } from "../../shared/core/policy/choose.ts";
import type { PassedOver } from "../../shared/core/policy/due/explain.ts";
import type { Pause } from "../../shared/core/record/pause.ts";
import {
  type AwaitedValue,
  type CheckRequest,
  type Exposure,
  type Failure,
  type Health,
  type Heartbeat,
  type Notification,
  type PendingRefresh,
  type PhaseTime,
  type Proof,
  reasons,
  recordSchema,
  type Refusal,
  type Retirement,
  type RetryIntent,
  type Rotation,
  type SecretEnd,
  type SkippedTarget,
  type SlotRecord,
  type Superseded,
  type TargetRecord,
  workingPhases,
} from "../../shared/core/record/record.ts";
import {
  account,
  arbitraryMoment,
  arbitraryVersion,
  count,
  datedRequest,
  type Fields,
  given,
  givenRequest,
  justification,
  justifications,
  lift,
  queuedRequest,
  versionId,
} from "./arbitrary-request.ts";

const failure = fc.record({
  kind: fc.constant("change-refused" as const),
  message: fc.string(),
  at: arbitraryMoment,
} satisfies Fields<Failure>);

const phaseTime = fc.record(
  {
    phase: fc.constantFrom(...workingPhases),
    startedAt: arbitraryMoment,
    endedAt: arbitraryMoment,
  } satisfies Fields<PhaseTime>,
  { requiredKeys: ["phase", "startedAt"] },
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
    phases: fc.array(phaseTime, { maxLength: 3 }),
    furthest: fc.constantFrom(...workingPhases),
    pending: arbitraryVersion,
    given,
    changeBegan: fc.boolean(),
    outcomeInDoubt: fc.boolean(),
    confirmedAt: arbitraryMoment,
    kept: fc.boolean(),
    provesTwice: fc.record({ firstAt: arbitraryMoment }, { requiredKeys: [] }),
    published: arbitraryVersion,
    failures: count,
    nextAttemptAt: arbitraryMoment,
    heldBy: fc.string(),
    throttledSince: arbitraryMoment,
    leftUndone: failure,
    grace: count,
    lift,
    force: lift,
    justification,
  } satisfies Fields<Rotation>,
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
    sameAs: fc.uniqueArray(versionId, { maxLength: 2 }),
    previousSameAs: fc.uniqueArray(versionId, { maxLength: 2 }),
    changedAt: arbitraryMoment,
    unsettled: fc.record(
      { since: arbitraryMoment, operation: fc.string() },
      { requiredKeys: ["since"] },
    ),
    secretIds: fc.uniqueArray(versionId, { maxLength: 2 }),
  } satisfies Fields<SlotRecord>,
  { requiredKeys: ["account"] },
);

const arbitraryExposure: fc.Arbitrary<Exposure> = fc.record(
  {
    at: arbitraryMoment,
    lastAt: arbitraryMoment,
    by: fc.string(),
    from: fc.string(),
    kind: fc.constantFrom("exposure" as const, "breach" as const),
    alsoBy: fc.array(fc.string(), { maxLength: 2 }),
    version: versionId,
    justification,
  } satisfies Fields<Exposure>,
  { requiredKeys: ["at", "by", "kind"] },
);

const notification = fc.record(
  {
    id: fc.uuid(),
    type: fc.constantFrom("rotation.started" as const, "alarm" as const),
    targetId: fc.constant("orders"),
    at: arbitraryMoment,
    data: fc.constant({}),
    toldTo: fc.array(fc.constantFrom("event-grid", "webhook"), { maxLength: 1 }),
  } satisfies Fields<Notification>,
  { requiredKeys: ["id", "type", "targetId", "at", "data"] },
);

const again = fc.record(
  {
    reason: fc.constantFrom(...reasons),
    requestedBy: fc.string(),
    grace: count,
    lift,
    force: lift,
    justification,
    why: fc.string(),
    requestedAt: arbitraryMoment,
    heldBy: fc.string(),
  } satisfies Fields<RetryIntent>,
  { requiredKeys: ["reason", "requestedBy", "why"] },
);

const pause = fc.record(
  {
    ...justifications,
    by: fc.string(),
    at: arbitraryMoment,
    until: arbitraryMoment,
  } satisfies Fields<Pause>,
  { requiredKeys: ["reason", "by", "at", "until"] },
);

const proof = fc.record({ seenInUse: count, quietSince: arbitraryMoment } satisfies Fields<Proof>, {
  requiredKeys: ["seenInUse"],
});

const retirement = fc.record(
  {
    account,
    at: arbitraryMoment,
    rotationId: fc.uuid(),
    failures: count,
    accountStays: fc.constant(true as const),
    proof,
  } satisfies Fields<Retirement>,
  { requiredKeys: ["account", "at", "rotationId", "failures"] },
);

const refusal = fc.record({
  account,
  version: fc.uuid(),
  at: arbitraryMoment,
} satisfies Fields<Refusal>);

const passedOver = fc.record({
  at: arbitraryMoment,
  why: fc.string(),
} satisfies Fields<PassedOver>);

const notChosen = fc.record({ policy: fc.string(), why: fc.string() } satisfies Fields<NotChosen>);

const healths: readonly Health[] = ["new", "healthy", "failing", "blocked"];

const unclaimed: fc.Arbitrary<TargetRecord> = fc.record(
  {
    schema: fc.constant(recordSchema),
    targetId: fc.constant("orders"),
    health: fc.constantFrom(...healths),
    slots: fc.uniqueArray(slot, { maxLength: 2, selector: (one) => one.account }),
    active: account,
    published: arbitraryVersion,
    adoptedAt: arbitraryMoment,
    writtenAt: arbitraryMoment,
    lastSuccessAt: arbitraryMoment,
    lastFailure: failure,
    failures: count,
    rotation: arbitraryRotation,
    request: queuedRequest,
    given: givenRequest,
    dated: fc.array(datedRequest, { maxLength: 2 }).map(sortDated),
    superseded: fc.record({ account, at: arbitraryMoment } satisfies Fields<Superseded>),
    refusedSince: arbitraryMoment,
    again,
    pause,
    retirement,
    check: fc.record({
      at: arbitraryMoment,
      why: fc.string(),
      failures: count,
    } satisfies Fields<CheckRequest>),
    verifiedAt: arbitraryMoment,
    heartbeat: fc.record({ at: arbitraryMoment, failures: count } satisfies Fields<Heartbeat>),
    refusals: fc.array(refusal, { maxLength: 2 }),
    tidiedAt: arbitraryMoment,
    exposure: arbitraryExposure,
    exposedVersions: fc.uniqueArray(versionId, { maxLength: 2 }),
    lastUsedAt: arbitraryMoment,
    refresh: fc.record({
      published: arbitraryVersion,
      rotationId: fc.string(),
      at: arbitraryMoment,
      failures: fc.nat({ max: 5 }),
    } satisfies Fields<PendingRefresh>),
    awaited: fc.record(
      {
        since: arbitraryMoment,
        reason: fc.constantFrom(...reasons),
        why: fc.string(),
        remindAt: arbitraryMoment,
        seenAt: arbitraryMoment,
      } satisfies Fields<AwaitedValue>,
      { requiredKeys: ["since", "reason", "why", "remindAt"] },
    ),
    secretEnd: fc.record(
      {
        version: versionId,
        at: arbitraryMoment,
        reportedAt: arbitraryMoment,
      } satisfies Fields<SecretEnd>,
      { requiredKeys: ["version"] },
    ),
    lastUsedBy: fc.string(),
    nextDue: arbitraryMoment,
    dueReason: fc.string(),
    passedOver: fc.array(passedOver, { maxLength: 2 }),
    policyFingerprint: fc.string(),
    policyWhy: fc.string(),
    policiesPassedOver: fc.array(notChosen, { maxLength: 2 }),
    outbox: fc.array(notification, { maxLength: 3 }),
    outboxRetryAt: arbitraryMoment,
    skipped: fc.record({
      at: arbitraryMoment,
      until: arbitraryMoment,
      why: fc.string(),
    } satisfies Fields<SkippedTarget>),
    restUntil: arbitraryMoment,
    claim: fc.record({ fence: count }),
  } satisfies Fields<TargetRecord>,
  {
    requiredKeys: ["schema", "targetId", "health", "slots", "failures", "outbox", "claim"],
  },
);

/** Any record that the types allow and nobody has claimed; often its request has joined the open rotation, or hurries it. */
export const arbitraryUnclaimed: fc.Arbitrary<TargetRecord> = fc
  .tuple(unclaimed, fc.constantFrom("rotationId", "hurries", undefined))
  .map(([record, field]) =>
    field && record.request && record.rotation
      ? { ...record, request: { ...record.request, [field]: record.rotation.id } }
      : record,
  );
