import { type Breach, type BreachItem, countStates } from "../../shared/core/breach/breach.ts";
import { recordSchema } from "../../shared/core/record/record.ts";
import type { Full } from "./full.ts";

const at = (hour: number) => `2026-03-01T${String(hour).padStart(2, "0")}:00:00.000Z`;

const act = (by: string, hour: number) => ({
  ...{ by, at: at(hour), reason: "as agreed", ticket: "SEC-1" },
});

/** A breach in which every field has a value. */
export function fullBreach(id: string): Full<Breach> {
  return {
    schema: recordSchema,
    id,
    at: at(9),
    by: "ada",
    reason: "host compromised",
    ticket: "SEC-1",
    selection: {
      targets: ["orders-db"],
      policy: "often",
      type: "postgresql",
      vault: "main",
      tags: [["env", "prod"]],
      host: "db.example",
      exposedBy: "eve",
    },
    state: "running",
    expiresAt: at(10),
    fingerprint: "9f86d081884c7d65",
    counts: { ...countStates([]), waiting: 1, rotated: 2 },
    waits: { targets: 1, why: "frozen until tomorrow" },
    summary: {
      targets: 3,
      withGap: 1,
      keepOldPassword: 1,
      obstacles: {
        ...{ paused: 1, frozen: 2, blocked: 3, failing: 4 },
        ...{ "not-adopted": 5, unreadable: 6 },
      },
      consumers: [{ name: "app", targets: 2 }],
      otherConsumers: 1,
    },
    estimate: {
      seconds: 12,
      limitedBy: "vault main",
      vaults: [{ name: "main", count: 6, seconds: 10, perTenSeconds: 0.5 }],
      servers: [{ name: "db.example:5432", count: 3, seconds: 4 }],
    },
    giveUpAfter: 900_000,
    confirmed: act("ada", 9),
    force: true,
    liftFreezes: true,
    paused: act("ben", 10),
    resumed: act("ben", 11),
    cancelled: act("eve", 12),
    endedAt: at(13),
    nextAt: at(14),
    outbox: [
      {
        id: `breach/${id}/breach.started`,
        type: "breach.started",
        targetId: "keyturn",
        at: at(9),
        data: { breach: id, targets: 3 },
        toldTo: ["webhook"],
      },
    ],
  };
}

/** A breach without any optional field. */
export function leanBreach(id: string): Breach {
  const { schema, at: made, by, reason, expiresAt, fingerprint, counts, estimate } = fullBreach(id);
  const { summary, giveUpAfter } = fullBreach(id);
  return {
    ...{ schema, id, at: made, by, reason, expiresAt, fingerprint, counts, estimate },
    ...{ summary, giveUpAfter, selection: {}, state: "preview", outbox: [] },
  };
}

/** A target of a breach in which every field has a value. */
export function fullItem(breachId: string, place: number): Full<BreachItem> {
  return {
    ...leanItem(breachId, place),
    begunAt: at(9),
    rotationId: "01JNN000000000000000000000",
    waitsFor: "the target must be adopted first",
    endedAt: at(10),
    rotatedAt: at(10),
    version: { vault: "main", name: "orders-db", version: "4" },
    oldPasswordWorks: true,
    failure: { kind: "target-unavailable", message: "no answer", at: at(10) },
    outcome: "The old password of account orders_a still works",
    nextTry: at(11),
  };
}

/** A target of a breach without any optional field. */
export function leanItem(breachId: string, place: number): BreachItem {
  return {
    schema: recordSchema,
    breachId,
    targetId: `orders-${place}`,
    place,
    why: "password of 2026-01-01",
    fingerprint: "9f86d081884c7d65",
    type: "postgresql",
    server: "db.example:5432",
    accounts: ["orders_a", "orders_b"],
    hasGap: false,
    keepsOldPassword: true,
    consumers: ["app"],
    obstacles: [{ kind: "paused", why: "paused by ben" }],
    state: "waiting",
  };
}
