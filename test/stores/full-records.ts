import type { OperatorFreeze } from "../../shared/core/freezes/operator-freeze.ts";
import { type RunRecord } from "../../shared/core/record/history.ts";
import { recordSchema, type TargetRecord } from "../../shared/core/record/record.ts";
import type { Alarm } from "../../shared/stores/journal.ts";
import type { Full } from "./full.ts";

const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, "0")}:00.000Z`;
const version = (number: number) => ({
  vault: "main",
  name: "orders-db",
  version: `${"0".repeat(31)}${number}`,
});

const given = (account: string) => ({
  by: "import" as const,
  account,
  ref: version(8),
  mayApply: true,
  wasRefused: true,
  wasAccepted: true,
  sameAs: version(2).version,
});
const justification = { reason: "host compromised", ticket: "INC0007" };
const force = { why: "ticket 43", by: "eva", at: at(6) };
const lift = { why: "ticket 42", by: "ben", at: at(5) };

export function fullTarget(targetId: string): Full<TargetRecord> {
  return {
    schema: recordSchema,
    targetId,
    health: "failing",
    slots: [
      {
        account: "orders_a",
        current: version(1),
        previous: version(2),
        abandoned: version(3),
        abandonedBefore: [version(9)],
        sameAs: [version(3).version],
        previousSameAs: [version(4).version],
        changedAt: at(1),
        unsettled: { since: at(2), operation: "operations/1" },
        secretIds: ["11111111-1111-4111-8111-111111111111"],
      },
    ],
    active: "orders_a",
    published: version(4),
    adoptedAt: at(2),
    writtenAt: at(1),
    lastSuccessAt: at(3),
    lastFailure: { kind: "change-refused", message: 'It said "no".', at: at(4) },
    failures: 2,
    rotation: {
      id: "01JNN000000000000000000000",
      account: "orders_b",
      reason: "operator",
      requestedBy: "anna",
      requestedAt: at(5),
      why: "requested by anna",
      policyFingerprint: "9f86d081884c7d65",
      phase: "publishing",
      startedAt: at(6),
      phases: [{ phase: "staging", startedAt: at(6), endedAt: at(7) }],
      furthest: "checking",
      pending: version(5),
      given: given("orders_b"),
      changeBegan: true,
      outcomeInDoubt: true,
      confirmedAt: at(8),
      kept: false,
      provesTwice: { firstAt: at(9) },
      published: version(6),
      failures: 1,
      nextAttemptAt: at(9),
      heldBy: "no window is open",
      throttledSince: at(7),
      leftUndone: { kind: "bug", message: "Nobody heard.", at: at(8) },
      grace: 60_000,
      lift,
      force,
      justification,
    },
    request: {
      rotationId: "01JNN000000000000000000001",
      reason: "exposure",
      requestedBy: "security",
      at: at(10),
      notBefore: at(11),
      heldBy: "frozen: year end",
      grace: 0,
      lift,
      force,
      justification,
      why: "Requested by anna, then by security",
      hurries: "01JNN0",
    },
    given: {
      rotationId: "01JNN000000000000000000002",
      reason: "import",
      requestedBy: "anna",
      at: at(10),
      notBefore: at(11),
      heldBy: "frozen: year end",
      grace: 0,
      lift,
      force,
      justification,
      why: "Requested by anna (reason: import)",
      secret: given("orders_a"),
    },
    dated: [
      {
        rotationId: "01JNN000000000000000000003",
        reason: "operator",
        requestedBy: "anna",
        at: at(10),
        notBefore: at(30),
        heldBy: "frozen: year end",
        grace: 0,
        lift,
        force,
        justification,
        why: "Requested by anna",
      },
    ],
    again: {
      reason: "exposure",
      requestedBy: "security",
      grace: 1,
      lift,
      force,
      justification,
      why: "another attempt, because rotation 01JNN0 failed",
      requestedAt: at(5),
      heldBy: "frozen: year end",
    },
    retirement: {
      account: "orders_a",
      at: at(12),
      rotationId: "01JNN0",
      failures: 3,
      accountStays: true,
      proof: { seenInUse: 2, quietSince: at(11) },
    },
    superseded: { account: "orders_b", at: at(11) },
    check: { at: at(12), why: "a worker lost its claim", failures: 1 },
    refusedSince: at(11),
    refusals: [{ account: "orders_a", version: version(4).version, at: at(11) }],
    verifiedAt: at(10),
    heartbeat: { at: at(19), failures: 1 },
    tidiedAt: at(10),
    exposure: {
      at: at(12),
      lastAt: at(13),
      by: "ben",
      from: "a log",
      kind: "breach",
      alsoBy: ["ada"],
      version: version(4).version,
      justification,
    },
    exposedVersions: [version(4).version],
    lastUsedAt: at(11),
    refresh: { published: version(4), rotationId: "adopted-4", at: at(9), failures: 1 },
    awaited: { since: at(3), reason: "schedule", why: "90d", remindAt: at(12), seenAt: at(2) },
    secretEnd: { version: version(4).version, at: at(12), reportedAt: at(10) },
    lastUsedBy: "the orders service",
    nextDue: at(13),
    dueReason: "every 90d",
    passedOver: [{ at: at(12), why: "frozen: year end" }],
    policyFingerprint: "9f86d081884c7d65 main/orders-db orders_a orders_b",
    policyWhy: "matches every target, priority 0",
    policiesPassedOver: [{ policy: "default", why: "matches too, priority -1" }],
    outbox: [
      {
        id: "01JNN0.succeeded",
        type: "rotation.succeeded",
        targetId,
        at: at(14),
        data: { account: "orders_b", attempts: 2, first: false },
        toldTo: ["event-grid main"],
      },
    ],
    outboxRetryAt: at(15),
    pause: { reason: "maintenance", ticket: "CHG0042", by: "anna", at: at(5), until: at(20) },
    skipped: { at: at(16), until: at(18), why: "server db:5432 does not answer" },
    restUntil: at(17),
    claim: { fence: 7, owner: "worker-1", until: at(16) },
  };
}

export function fullRun(targetId: string, rotationId: string): Full<RunRecord> {
  return {
    schema: recordSchema,
    rotationId,
    targetId,
    state: "failed",
    reason: "schedule",
    requestedBy: "sweep",
    requestedAt: at(1),
    why: "policy quarterly: 90d are over",
    policyFingerprint: "9f86d081884c7d65",
    account: "orders_a",
    startedAt: at(2),
    endedAt: at(3),
    phases: [{ phase: "applying", startedAt: at(2), endedAt: at(3) }],
    published: version(7),
    failure: { kind: "target-unavailable", message: "Nobody answered.", at: at(3) },
    alreadySet: true,
    nextDue: at(4),
    dueReason: "another try",
    lift,
    force,
    justification,
  };
}

export function leanRun(targetId: string, rotationId: string): RunRecord {
  return {
    schema: recordSchema,
    rotationId,
    targetId,
    state: "queued",
    reason: "first",
    requestedBy: "operator",
    requestedAt: at(1),
    why: "requested by operator",
    policyFingerprint: "9f86d081884c7d65",
    phases: [],
  };
}

export function fullAlarm(id: string, moment: string): Full<Alarm> {
  return { id, at: moment, kind: "poisoned", message: "A message was dropped.", targetId: "db" };
}

export function fullFreeze(id: string): Full<OperatorFreeze> {
  return {
    id,
    at: at(1),
    by: "anna",
    reason: 'The "audit" of the year',
    ticket: "CHG0042",
    from: at(2),
    until: at(9),
    lift: ["exposure", "breach"],
    selection: {
      targets: ["orders"],
      policy: "quarterly",
      type: "postgresql",
      vault: "main",
      tags: [["team", "payments"]],
    },
    endedAt: at(5),
    endedBy: "ben",
    endReason: "finished sooner",
    endTicket: "CHG0043",
  };
}

/** A freeze without any optional field. */
export function leanFreeze(id: string): OperatorFreeze {
  const { at: made, by, reason, from, until } = fullFreeze(id);
  return { ...{ id, at: made, by, reason, from, until }, lift: [], selection: {} };
}
