import { z } from "zod";
import { errorKinds } from "../../core/errors.ts";
import type { FreezeSelection, OperatorFreeze } from "../../core/freezes/operator-freeze.ts";
import type { NotChosen } from "../../core/policy/choose.ts";
import type { PassedOver } from "../../core/policy/due/explain.ts";
import { liftReasons } from "../../core/policy/policy.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import { type RunRecord, runStates } from "../../core/record/history.ts";
import type { Justification } from "../../core/record/justification.ts";
import type { Force, Pause } from "../../core/record/pause.ts";
import * as rotation from "../../core/record/record.ts";
import type { VersionRef } from "../../core/target.ts";
import type { Alarm } from "../journal.ts";

/**
 * The schemas of the stored records. They are strict: the next write would lose a field that this version does not know, so a record
 * with such a field is rejected. Rows of earlier versions are upgraded first (`upgrade.ts`).
 */

/** A missing field of `T`, or a field with another type, does not compile. */
export function makeShape<T>() {
  return <const Shape extends { readonly [K in keyof Required<T>]: z.ZodType<T[K]> }>(
    shape: Shape,
  ) => z.strictObject(shape);
}

export const text = z.string();
export const instant = z.iso.datetime({ precision: 3 });
export const count = z.int().nonnegative();
export const maybe = <T extends z.ZodType>(type: T) => z.exactOptional(type);

const notificationTypes = {
  "rotation.started": true,
  "rotation.succeeded": true,
  "rotation.failed": true,
  "rotation.blocked": true,
  "rotation.stalled": true,
  "credential.adopted": true,
  "credential.retired": true,
  "drift.found": true,
  "ledger.sealed": true,
  "breach.started": true,
  "breach.ended": true,
  alarm: true,
} satisfies Record<rotation.NotificationType, true>;

function makeEnum<Name extends string>(names: Record<Name, true>): z.ZodType<Name> {
  return z
    .custom<Name>((value) => typeof value === "string" && Object.hasOwn(names, value))
    .meta({ enum: Object.keys(names) });
}

const reason = z.enum(rotation.reasons);
export const version = makeShape<VersionRef>()({ vault: text, name: text, version: text });
const phases = z.array(
  makeShape<rotation.PhaseTime>()({
    phase: z.enum(rotation.workingPhases),
    startedAt: instant,
    endedAt: maybe(instant),
  }),
);
export const failure = makeShape<rotation.Failure>()({
  kind: z.enum(errorKinds),
  message: text,
  at: instant,
});

const lift = makeShape<rotation.Lift>()({ why: text, by: text, at: instant });

const force = makeShape<Force>()({ why: text, by: text, at: instant });

const pause = makeShape<Pause>()({
  reason: text,
  ticket: maybe(text),
  by: text,
  at: instant,
  until: instant,
});

const justification = makeShape<Justification>()({ reason: maybe(text), ticket: maybe(text) });

const given = makeShape<GivenSecret>()({
  by: z.enum(["import", "undo"]),
  account: text,
  ref: version,
  mayApply: z.boolean(),
  wasRefused: maybe(z.boolean()),
  wasAccepted: maybe(z.boolean()),
  sameAs: maybe(text),
});

const provesTwice = makeShape<rotation.SecondProof>()({ firstAt: maybe(instant) });

const currentRotation = makeShape<rotation.Rotation>()({
  id: text,
  why: text,
  policyFingerprint: text,
  account: text,
  reason,
  requestedBy: text,
  requestedAt: instant,
  phase: z.enum([...rotation.workingPhases, "blocked"]),
  startedAt: instant,
  phases,
  furthest: z.enum(rotation.workingPhases),
  pending: maybe(version),
  given: maybe(given),
  changeBegan: z.boolean(),
  outcomeInDoubt: maybe(z.boolean()),
  confirmedAt: maybe(instant),
  kept: maybe(z.boolean()),
  provesTwice: maybe(provesTwice),
  published: maybe(version),
  failures: count,
  nextAttemptAt: maybe(instant),
  heldBy: maybe(text),
  throttledSince: maybe(instant),
  leftUndone: maybe(failure),
  grace: maybe(z.number()),
  lift: maybe(lift),
  force: maybe(force),
  justification: maybe(justification),
});

const unsettled = makeShape<rotation.Unsettled>()({ since: instant, operation: maybe(text) });

const slot = makeShape<rotation.SlotRecord>()({
  account: text,
  current: maybe(version),
  previous: maybe(version),
  abandoned: maybe(version),
  abandonedBefore: maybe(z.array(version)),
  sameAs: maybe(z.array(text)),
  previousSameAs: maybe(z.array(text)),
  changedAt: maybe(instant),
  unsettled: maybe(unsettled),
  secretIds: maybe(z.array(text)),
});

const requestFields = {
  rotationId: text,
  reason,
  requestedBy: text,
  at: instant,
  notBefore: maybe(instant),
  heldBy: maybe(text),
  grace: maybe(z.number()),
  lift: maybe(lift),
  force: maybe(force),
  justification: maybe(justification),
  why: maybe(text),
};

const request = makeShape<rotation.QueuedRequest>()({
  ...requestFields,
  hurries: maybe(text),
});

const givenRequest = makeShape<rotation.GivenRequest>()({ ...requestFields, secret: given });

const datedRequest = makeShape<rotation.DatedRequest>()({ ...requestFields, notBefore: instant });

const again = makeShape<rotation.RetryIntent>()({
  reason,
  requestedBy: text,
  grace: maybe(z.number()),
  lift: maybe(lift),
  force: maybe(force),
  justification: maybe(justification),
  why: text,
  requestedAt: maybe(instant),
  heldBy: maybe(text),
});

const proof = makeShape<rotation.Proof>()({ seenInUse: count, quietSince: maybe(instant) });

const skipped = makeShape<rotation.SkippedTarget>()({ at: instant, until: instant, why: text });

const retirement = makeShape<rotation.Retirement>()({
  account: text,
  at: instant,
  rotationId: text,
  failures: count,
  accountStays: maybe(z.literal(true)),
  proof: maybe(proof),
});

const superseded = makeShape<rotation.Superseded>()({ account: text, at: instant });

const secretEnd = makeShape<rotation.SecretEnd>()({
  version: text,
  at: maybe(instant),
  reportedAt: maybe(instant),
});

const refusal = makeShape<rotation.Refusal>()({ account: text, version: text, at: instant });

const check = makeShape<rotation.CheckRequest>()({ at: instant, why: text, failures: count });

const heartbeat = makeShape<rotation.Heartbeat>()({ at: instant, failures: count });

const refresh = makeShape<rotation.PendingRefresh>()({
  published: version,
  rotationId: text,
  at: instant,
  failures: count,
});

const awaited = makeShape<rotation.AwaitedValue>()({
  since: instant,
  reason,
  why: text,
  remindAt: instant,
  seenAt: maybe(instant),
});

const exposure = makeShape<rotation.Exposure>()({
  at: instant,
  lastAt: maybe(instant),
  by: text,
  from: maybe(text),
  kind: z.enum(["exposure", "breach"]),
  alsoBy: maybe(z.array(text)),
  version: maybe(text),
  justification: maybe(justification),
});

const claim = makeShape<rotation.Claim>()({
  fence: count,
  owner: maybe(text),
  until: maybe(instant),
});

export const notification = makeShape<rotation.Notification>()({
  id: text,
  type: makeEnum(notificationTypes),
  targetId: text,
  at: instant,
  data: z.record(text, z.union([text, z.number(), z.boolean()])),
  toldTo: maybe(z.array(text)),
});

export const targetRecord = makeShape<rotation.TargetRecord>()({
  schema: z.literal(rotation.recordSchema),
  targetId: text,
  health: z.enum(["new", "healthy", "failing", "blocked"]),
  slots: z.array(slot),
  active: maybe(text),
  published: maybe(version),
  secretEnd: maybe(secretEnd),
  adoptedAt: maybe(instant),
  writtenAt: maybe(instant),
  lastSuccessAt: maybe(instant),
  lastFailure: maybe(failure),
  failures: count,
  rotation: maybe(currentRotation),
  request: maybe(request),
  given: maybe(givenRequest),
  dated: maybe(z.array(datedRequest)),
  again: maybe(again),
  retirement: maybe(retirement),
  superseded: maybe(superseded),
  check: maybe(check),
  refusedSince: maybe(instant),
  refusals: maybe(z.array(refusal)),
  verifiedAt: maybe(instant),
  heartbeat: maybe(heartbeat),
  refresh: maybe(refresh),
  awaited: maybe(awaited),
  tidiedAt: maybe(instant),
  exposure: maybe(exposure),
  exposedVersions: maybe(z.array(text)),
  lastUsedAt: maybe(instant),
  lastUsedBy: maybe(text),
  nextDue: maybe(instant),
  dueReason: maybe(text),
  passedOver: maybe(z.array(makeShape<PassedOver>()({ at: instant, why: text }))),
  policyFingerprint: maybe(text),
  policyWhy: maybe(text),
  policiesPassedOver: maybe(z.array(makeShape<NotChosen>()({ policy: text, why: text }))),
  outbox: z.array(notification),
  outboxRetryAt: maybe(instant),
  pause: maybe(pause),
  skipped: maybe(skipped),
  restUntil: maybe(instant),
  claim,
});

export const runRecord = makeShape<RunRecord>()({
  schema: z.literal(rotation.recordSchema),
  rotationId: text,
  targetId: text,
  state: z.enum(runStates),
  reason,
  requestedBy: text,
  requestedAt: instant,
  why: text,
  policyFingerprint: text,
  account: maybe(text),
  startedAt: maybe(instant),
  endedAt: maybe(instant),
  phases,
  published: maybe(version),
  failure: maybe(failure),
  alreadySet: maybe(z.boolean()),
  nextDue: maybe(instant),
  dueReason: maybe(text),
  lift: maybe(lift),
  force: maybe(force),
  justification: maybe(justification),
});

export const freezeRecord = makeShape<OperatorFreeze>()({
  id: text,
  at: instant,
  by: text,
  reason: text,
  ticket: maybe(text),
  from: instant,
  until: instant,
  lift: z.array(z.enum(liftReasons)),
  selection: makeShape<FreezeSelection>()({
    targets: maybe(z.array(text)),
    policy: maybe(text),
    type: maybe(text),
    vault: maybe(text),
    tags: maybe(z.array(z.tuple([text, text]))),
  }),
  endedAt: maybe(instant),
  endedBy: maybe(text),
  endReason: maybe(text),
  endTicket: maybe(text),
});

export const alarmRecord = makeShape<Alarm>()({
  id: text,
  at: instant,
  kind: text,
  message: text,
  targetId: maybe(text),
});
