import { newRecord } from "../../../shared/core/record/rotation.ts";
import { plus } from "../../../shared/core/time.ts";
import { at, now, target as orders, version } from "../orders.ts";
import {
  again,
  type Case,
  claimed,
  due,
  exposable,
  failed,
  frozen,
  healthy,
  late,
  refusedRight,
  requested,
  silentServer,
  single,
  tooManyRefusals,
  weekends,
  withRotation,
} from "./samples.ts";

const cases: Readonly<Record<string, Partial<Case> & Pick<Case, "record">>> = {
  "nobody has adopted it": { record: newRecord("orders") },
  "the adoption waits for a server that is down": {
    record: {
      ...newRecord("orders"),
      health: "failing",
      lastFailure: failed("target-unavailable", silentServer),
      nextDue: at(15),
      dueReason: "another attempt to adopt the target",
    },
    now: at(6),
  },
  "accounts that change themselves cannot log in": {
    record: {
      ...newRecord("orders"),
      health: "blocked",
      lastFailure: failed(
        "no-live-credential",
        "no stored secret of orders_a and orders_b logs in, and with admin: self only the account can change its password",
      ),
      nextDue: at(15),
      dueReason: "another attempt to adopt the target",
    },
    target: { ...orders, authority: { as: "self" } },
    now: at(6),
  },
  "nothing is due": { record: healthy() },
  "only people rotate it": {
    record: healthy({ ...orders, policy: { ...orders.policy, manualOnly: true } }),
    target: { ...orders, policy: { ...orders.policy, manualOnly: true } },
  },
  "a consumer could not be notified": {
    record: {
      ...healthy(orders, at(10)),
      lastFailure: failed("target-unavailable", "the consumer shop answered 503"),
    },
    now: at(12),
  },
  "the superseded account is retired later": {
    record: {
      ...healthy(),
      retirement: { account: "orders_b", at: at(60), rotationId: "r1", failures: 0 },
    },
    now: at(1),
  },
  "the superseded account is still in use": {
    record: {
      ...healthy(),
      retirement: {
        account: "orders_b",
        at: at(70),
        rotationId: "r1",
        failures: 0,
        proof: { seenInUse: 2 },
      },
    },
    now: at(65),
  },
  "it is due": { record: due, now: late },
  "a person requested a rotation": { record: { ...healthy(), request: requested }, now: at(1) },
  "a worker begins": { record: claimed({ ...healthy(), request: requested }, at(1)), now: at(1) },
  "a freeze delays a request": {
    target: frozen,
    record: {
      ...healthy(frozen),
      request: {
        ...requested,
        notBefore: "2026-03-11T00:00:00.000Z",
        heldBy: "policy quarterly: frozen from 2026-02-20 to 2026-03-10 (spring sale)",
      },
    },
    now: at(1),
  },
  "the window opens on Saturday": {
    target: weekends,
    record: healthy(weekends, at(-100 * 24 * 60)),
    now: at(1),
  },
  "the due moment lies in a freeze that came later": {
    target: frozen,
    record: { ...healthy(frozen, at(-91 * 24 * 60)), nextDue: now },
    now: at(1),
  },
  "another target is changed with its secret": {
    record: {
      ...healthy(),
      request: {
        ...requested,
        notBefore: at(2),
        heldBy:
          "waits until target shop is changed, because that change logs in with this credential",
      },
    },
    now: at(1),
  },
  "its server does not answer": {
    record: {
      ...due,
      skipped: {
        at: late,
        until: plus(late, 60_000),
        why: "server orders.example.com:5432 does not answer; Keyturn contacts this server again later",
      },
    },
    now: late,
  },
  "a worker sets the password": {
    record: claimed(withRotation({ phase: "applying", changeBegan: true })),
    now: at(1),
  },
  "the worker died in the middle": {
    record: claimed(withRotation({ phase: "publishing", changeBegan: true })),
    now: at(9),
  },
  "the rotation waits for the vault to have room": {
    record: withRotation({
      nextAttemptAt: at(3),
      heldBy: "vault main is busy: it has no room for another version until then",
    }),
    now: at(1),
  },
  "the rotation tries again": {
    record: withRotation(
      { phase: "applying", failures: 1, nextAttemptAt: at(15) },
      { health: "failing", lastFailure: failed("target-unavailable", silentServer) },
    ),
    now: at(6),
  },
  "half a change is not finished": {
    record: withRotation(
      { phase: "publishing", failures: 4, nextAttemptAt: at(6 * 60), changeBegan: true },
      {
        health: "failing",
        refusedSince: at(4),
        lastFailure: failed(
          "vault-unavailable",
          "vault main answered 403: Keyturn may not set secrets",
        ),
      },
    ),
    now: at(6),
  },
  "a right is missing": {
    record: {
      ...healthy(),
      health: "failing",
      failures: 2,
      lastFailure: failed("change-refused", refusedRight),
      again,
      nextDue: at(15),
      dueReason: again.why,
    },
    now: at(6),
  },
  "somebody published a wrong password": {
    record: {
      ...healthy(),
      health: "failing",
      refusedSince: at(4),
      lastFailure: failed("change-refused", "the target refuses the published secret orders-db"),
      check: {
        at: at(14),
        why: "the published secret was written by hand, and the target refuses the secret",
        failures: 0,
      },
      refusals: tooManyRefusals("orders_a"),
    },
    now: at(6),
  },
  "no stored password works": {
    record: withRotation(
      { phase: "blocked", changeBegan: true },
      {
        health: "blocked",
        lastFailure: failed(
          "no-live-credential",
          "the target refused every stored secret of orders_b: versions 3 and 4 of keyturn-pending-orders",
        ),
      },
    ),
    now: at(6),
  },
  "a person resumes the blocked rotation": {
    record: {
      ...withRotation({ phase: "blocked", changeBegan: true }, { health: "blocked" }),
      request: { ...requested, rotationId: "r1" },
    },
    now: at(6),
  },
  "Keyturn has a bug": {
    record: {
      ...due,
      health: "failing",
      restUntil: plus(late, 600_000),
      lastFailure: {
        ...failed("bug", "unexpected error (TypeError: x is not a function)"),
        at: late,
      },
    },
    now: late,
  },
  "somebody published the other account by hand": {
    record: {
      ...healthy(),
      active: "orders_a",
      superseded: { account: "orders_b", at: at(2) },
      nextDue: at(62),
      dueReason:
        "the other account was published by hand, and consumers may use orders_b until its grace ends",
    },
    now: at(6),
  },
  "the secret was seen": {
    target: exposable,
    record: {
      ...healthy(exposable),
      exposure: { at: at(3), by: "ben", from: "build log 77", kind: "exposure" },
      nextDue: at(3 + 24 * 60),
      dueReason: "policy quarterly: due 1d after the exposure",
    },
    now: at(6),
  },
  "a person has scheduled a rotation": {
    record: {
      ...healthy(),
      dated: [
        {
          ...{ rotationId: "r7", reason: "operator", requestedBy: "ben", at: at(1) },
          ...{ notBefore: at(9_000), justification: { reason: "eva leaves", ticket: "HR-7" } },
        },
      ],
    },
  },
  "a person has paused the target, and a request waits": {
    record: {
      ...healthy(),
      heartbeat: { at: at(60), failures: 0 },
      pause: { reason: "move of the server", by: "anna", at: at(2), until: at(1_000) },
      request: { rotationId: "r2", reason: "operator", requestedBy: "ben", at: at(3) },
    },
    now: at(6),
  },
  "a person has paused the target, whose single account was rotated": {
    target: single,
    record: {
      ...healthy(single, at(1)),
      slots: [{ account: "orders_a", current: version(2), previous: version(1), changedAt: at(1) }],
      pause: { reason: "move of the server", by: "anna", at: at(2), until: at(1_000) },
    },
    now: at(120),
  },
  "the rotation waits for another guess": {
    record: withRotation(
      { phase: "applying", changeBegan: true, nextAttemptAt: at(11) },
      {
        health: "failing",
        lastFailure: failed("target-unavailable", "the target refused orders_b too often"),
        refusals: tooManyRefusals("orders_b"),
      },
    ),
    now: at(6),
  },
  "notifications do not arrive": {
    record: {
      ...healthy(),
      outbox: [
        { id: "1", type: "alarm", targetId: "orders", at: now, data: {}, toldTo: ["events"] },
      ],
      outboxRetryAt: at(7),
    },
    now: at(6),
  },
};

/** Records as they occur, for each thing that a person on duty may ask about. */
export const situations: readonly Case[] = Object.entries(cases).map(([name, one]) => ({
  target: orders,
  now,
  ...one,
  name,
}));
