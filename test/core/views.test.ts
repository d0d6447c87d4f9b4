import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ChangeRefusedError,
  ConfigError,
  isKnownError,
  LeaseLostError,
  NoLiveCredentialError,
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../shared/core/errors.ts";
import { toEvent } from "../../shared/core/events.ts";
import { fingerprintPolicy } from "../../shared/core/policy/policy.ts";
import { type RunRecord } from "../../shared/core/record/history.ts";
import { recordSchema, type TargetRecord } from "../../shared/core/record/record.ts";
import type { Target } from "../../shared/core/target.ts";
import { type TargetView, viewRun, viewTarget } from "../../shared/core/views.ts";
import { arbitraryUnclaimed } from "./arbitrary-record.ts";
import { target as orders } from "./orders.ts";

const now = "2026-03-01T10:00:00.000Z";
const target: Target = {
  ...orders,
  options: { note: "what only the rotator reads" },
  authority: { as: "admin", secret: { vault: "main", name: "the-admin" } },
  tags: { env: "prod" },
};
const run: RunRecord = {
  schema: recordSchema,
  rotationId: "r1",
  targetId: "orders",
  state: "done",
  reason: "operator",
  requestedBy: "anna",
  requestedAt: now,
  why: "requested by anna",
  policyFingerprint: "f",
  phases: [],
};

function flatten(exposure: TargetRecord["exposure"]): object | undefined {
  const { justification, ...rest } = exposure ?? {};
  return exposure && { ...rest, ...justification };
}

/** An import or an undo goes before another request, and rotations with a date are listed. */
function expectRequests(view: TargetView, { given, request, dated }: TargetRecord): void {
  const queued = given ?? request;
  expect(view.queuedRotation).toBe(queued?.rotationId);
  expect(view.queuedUntil).toBe(queued?.notBefore);
  expect(view.queuedWhy).toBe(queued?.heldBy);
  const scheduled = dated?.map(({ rotationId }) => rotationId);
  expect(view.scheduled?.map(({ rotation }) => rotation)).toEqual(scheduled);
}

describe("the view of a target", () => {
  it("shows the configuration when nothing else is known", () => {
    expect(viewTarget(target, undefined)).toEqual({
      id: "orders",
      type: "memory",
      health: "new",
      accounts: ["orders_a", "orders_b"],
      changedBy: "admin",
      secret: { vault: "main", name: "orders-db" },
      policy: "quarterly",
      policyWhy: "named by the target",
      policyFingerprint: fingerprintPolicy(target.policy),
      passwordEntropyBits: 237,
      tags: { env: "prod" },
      slots: [],
    });
  });

  it("shows the state, but no claims, notifications or options", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, (record) => {
        const view = viewTarget(target, record);
        const { health, slots, rotation, retirement } = record;
        expect(view.health).toBe(health);
        expect(view.slots).toEqual(
          slots.map(({ unsettled, ...slot }) => ({
            ...slot,
            ...(unsettled && { unsettledSince: unsettled.since }),
          })),
        );
        expect(view.rotation?.id).toBe(rotation?.id);
        expect(view.rotation?.nextAttemptAt).toBe(rotation?.nextAttemptAt);
        expectRequests(view, record);
        expect(view.retirement?.account).toBe(retirement?.account);
        for (const key of [
          "active",
          "published",
          "adoptedAt",
          "lastSuccessAt",
          "lastUsedAt",
          "lastUsedBy",
          "nextDue",
          "dueReason",
        ] as const) {
          expect(view[key]).toEqual(record[key]);
          expect(key in view).toBe(key in record);
        }
        expect(view.exposure).toEqual(flatten(record.exposure));
        expect(view).toEqual(JSON.parse(JSON.stringify(view)));
        for (const key of ["claim", "outbox", "outboxRetryAt", "options", "schema"]) {
          expect(view).not.toHaveProperty(key);
        }
      }),
    );
  });
});

describe("the view of a rotation", () => {
  it("shows its duration once it has ended", () => {
    const ended = { ...run, startedAt: now, endedAt: "2026-03-01T10:00:02.500Z" };
    expect(viewRun(ended).duration).toBe(2_500);
    expect(viewRun({ ...run, startedAt: now })).not.toHaveProperty("duration");
    expect(viewRun(run)).not.toHaveProperty("duration");
  });

  it("is its history row without the number of its layout, and names the cause, the reason and the ticket", () => {
    const { schema: _, reason: cause, ...rest } = run;
    expect(viewRun(run)).toEqual({ ...rest, cause });
    const justification = { reason: "host compromised", ticket: "INC0007" };
    expect(viewRun({ ...run, justification })).toEqual({ ...rest, cause, ...justification });
  });
});

describe("an event", () => {
  it.each([
    ["succeeded", "information"],
    ["claimed", "information"],
    ["lease-lost", "information"],
    ["attempt-failed", "warning"],
    ["drift", "warning"],
    ["notification-failed", "warning"],
    ["failed", "error"],
    ["blocked", "error"],
    ["gave-up", "error"],
    ["journal-unavailable", "error"],
    ["message-unreadable", "error"],
  ] as const)("says how bad it is: %s is %s", (type, severity) => {
    const told = { type, at: now, targetId: "orders", detail: "d" };
    expect(toEvent(told)).toEqual({ ...told, severity });
  });
});

describe("an error", () => {
  it.each([
    [ConfigError, "ConfigError", "config"],
    [TargetUnavailableError, "TargetUnavailableError", "target-unavailable"],
    [VaultUnavailableError, "VaultUnavailableError", "vault-unavailable"],
    [ChangeRefusedError, "ChangeRefusedError", "change-refused"],
    [OutcomeUnknownError, "OutcomeUnknownError", "outcome-unknown"],
    [NoLiveCredentialError, "NoLiveCredentialError", "no-live-credential"],
    [LeaseLostError, "LeaseLostError", "lease-lost"],
  ])("says what is known now: %o", (Known, name, kind) => {
    const error = new Known("a sentence", { cause: "why" });
    expect(error).toMatchObject({ name, kind, message: "a sentence", cause: "why" });
    expect(String(error)).toBe(`${name}: a sentence`);
    expect(isKnownError(error)).toBe(true);
    class Narrower extends Known {}
    expect(isKnownError(new Narrower("x"))).toBe(true);
  });

  it.each([new Error("x"), new TypeError("x"), { kind: "config" }, "config", null, undefined])(
    "of an unknown kind is distinguished: %o",
    (error) => {
      expect(isKnownError(error)).toBe(false);
    },
  );
});
