import fc from "fast-check";
import { expect, test } from "vitest";
import {
  blockRotation,
  failRotation,
  retryLater,
  stallRotation,
} from "../../shared/core/lifecycle/after-failure.ts";
import { acceptExposure } from "../../shared/core/lifecycle/exposure.ts";
import { notify } from "../../shared/core/lifecycle/notifications.ts";
import { decideStart } from "../../shared/core/lifecycle/permit.ts";
import {
  advance,
  beginRotation,
  goBack,
  succeed,
  toRunRecord,
} from "../../shared/core/lifecycle/progress.ts";
import { acceptRequest, isJoined, joinRequest } from "../../shared/core/lifecycle/request.ts";
import { acceptUse } from "../../shared/core/lifecycle/use.ts";
import { fingerprintPolicy } from "../../shared/core/policy/policy.ts";
import { withDue } from "../../shared/core/record/due.ts";
import { withDelivered } from "../../shared/core/record/outbox.ts";
import {
  type Failure,
  type Rotation,
  type TargetRecord,
  workingPhases,
} from "../../shared/core/record/record.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import {
  abandon,
  chooseAccount,
  findSlot,
  keepSlots,
  promote,
  withSlot,
} from "../../shared/core/record/slots.ts";
import { maxWhyLength, shorten } from "../../shared/core/shorten.ts";
import type { Target } from "../../shared/core/target.ts";
import { day, hour, type Instant, minute, plus } from "../../shared/core/time.ts";
import { reschedule } from "../../shared/engine/work/reschedule.ts";
import { runColumns, targetColumns } from "../../shared/stores/table/columns.ts";
import { target as orders } from "../core/orders.ts";

/** The record of one target. All its changes go through the functions that the engine uses. */
interface Life {
  readonly record: TargetRecord;
  readonly target: Target;
  readonly now: Instant;
  /** The number of operations so far, for ids. */
  readonly count: number;
}

interface Draw {
  readonly number: number;
  readonly text: string;
}

type Operation = (life: Life, draw: Draw) => TargetRecord | Partial<Life>;

const version = (number: number) => ({
  vault: "main",
  name: `orders-db-${number % 3}`,
  version: String(number).padStart(32, "0"),
});
const getId = (count: number) => `01TEST${String(count).padStart(20, "0")}`;
const catchFailure = ({ now }: Life, kind: Failure["kind"], text: string): Failure => ({
  kind,
  message: shorten(text, maxWhyLength),
  at: now,
});
const kinds = ["target-unavailable", "outcome-unknown", "change-refused", "bug"] as const;
const notifiers = ["event-grid here", "webhook there", "webhook that is down"];

/** Applies the operation to the open rotation, if there is one. */
const onRotation =
  (act: (life: Life, rotation: Rotation, draw: Draw) => TargetRecord): Operation =>
  (life, draw) => {
    const { rotation } = life.record;
    return rotation ? act(life, rotation, draw) : life.record;
  };

const operations: Readonly<Record<string, Operation>> = {
  wait: ({ now }, { number }) => ({ now: plus(now, (number % 3_000) * minute) }),
  request: (life, { number, text }) => {
    const { record, target, now, count } = life;
    const intent = {
      rotationId: getId(count),
      reason: number % 2 === 0 ? "operator" : "exposure",
      requestedBy: text,
      at: now,
      ...(number % 3 === 0 && { grace: number }),
      ...(number % 5 === 0 && { lift: { by: text, why: text, at: now } }),
    } as const;
    return acceptRequest(record, intent, target, now).record;
  },
  join: ({ record, now }) => (isJoined(record) ? joinRequest(record, now) : record),
  start: ({ record, target, now, count }) => {
    if (record.rotation) return record;
    const permitted = decideStart(record, target, now);
    if ("held" in permitted) return permitted.held;
    const { intent, why } = permitted;
    const grounds = { why, policyFingerprint: fingerprintPolicy(target.policy) };
    const request = { ...intent, rotationId: intent.rotationId ?? getId(count) };
    return beginRotation(record, {
      account: chooseAccount(target, record),
      request,
      grounds,
      now,
    });
  },
  advance: onRotation((life, rotation, { number }) => {
    const { record, now, count } = life;
    const phase = workingPhases[number % workingPhases.length] ?? "staging";
    const isPublic = workingPhases.indexOf(phase) > workingPhases.indexOf("publishing");
    const learnt = { pending: version(count), ...(isPublic && { published: version(count) }) };
    return { ...record, rotation: advance(rotation, phase, learnt, now) };
  }),
  goBack: onRotation(({ record, now }, rotation, { number }) => {
    const phase = number % 2 === 0 ? "applying" : "staging";
    return { ...record, rotation: goBack(rotation, phase, now) };
  }),
  fail: onRotation((life, rotation, { number, text }) => {
    const failure = catchFailure(life, kinds[number % kinds.length] ?? "bug", text);
    const { policy } = life.target;
    const left = { ...retryLater(rotation, failure, policy), leftUndone: failure };
    return stallRotation(life.record, left, failure, policy);
  }),
  giveUp: onRotation((life, rotation, { text }) =>
    failRotation(
      life.record,
      { ...rotation, pending: version(life.count), outcomeInDoubt: true },
      catchFailure(life, "change-refused", text),
      life.target.policy,
    ),
  ),
  block: onRotation((life, rotation, { text }) =>
    blockRotation(life.record, rotation, catchFailure(life, "no-live-credential", text)),
  ),
  succeed: onRotation(({ record, target, now, count }, rotation) =>
    succeed(record, {
      rotation: { ...rotation, published: version(count) },
      target,
      canRetire: true,
      now,
    }),
  ),
  expose: ({ record, target, now }, { number, text }) => {
    const kind = number % 2 === 0 ? "exposure" : "breach";
    return acceptExposure(record, target, { at: now, by: text, from: text, kind }, now).record;
  },
  use: ({ record, target, now }, { text }) =>
    acceptUse(record, target, { at: now, by: text }, now).record,
  drift: ({ record, target, now, count }, { text }) => {
    const data = { secret: "orders-db", version: version(count).version, detail: text };
    const told = notify(record, { type: "drift.found", at: now, data });
    const slot = promote(findSlot(record, chooseAccount(target, record)), version(count), now);
    return { ...told, slots: withSlot(record.slots, slot) };
  },
  doubt: ({ record, target, count }) => {
    const slot = abandon(findSlot(record, chooseAccount(target, record)), version(count));
    return { ...record, slots: withSlot(record.slots, slot) };
  },
  tell: ({ record }, { number }) => {
    const heard = notifiers.slice(0, number % notifiers.length);
    return { ...record, outbox: withDelivered(record.outbox, notifiers, heard) };
  },
  editPolicy: ({ record, target, now, count }, { number, text }) => {
    const reason = text === "" ? "closed" : text;
    const freeze = [{ from: now, to: plus(now, day), reason, lift: [] }];
    const policy = {
      ...target.policy,
      every: (1 + (number % 90)) * day,
      afterExposure: hour,
      afterIdle: 3 * day,
      ...(number % 2 === 0 && { freeze }),
    };
    const policiesPassedOver = Array.from({ length: number % 40 }, () => ({
      policy: "p",
      why: text,
    }));
    const edited = { ...target, policy, policyWhy: `${text} ${count}`, policiesPassedOver };
    return { target: edited, record: reschedule(record, edited, now) };
  },
  /** What the adoption does after an edit of the accounts. */
  editAccounts: ({ record, target, now, count }) => {
    const accounts = [`orders_${count}_a`, `orders_${count}_b`];
    const edited = { ...target, slots: accounts.map((account) => ({ account })) };
    const planned = reschedule(record, edited, now);
    if (planned.rotation) return { target: edited, record: planned };
    const slots = accounts.reduce(
      (known, account) => withSlot(known, { account, current: version(count), changedAt: now }),
      planned.slots,
    );
    const adopted: TargetRecord = {
      ...planned,
      adoptedAt: now,
      active: accounts[0] ?? "",
      published: version(count),
      slots: keepSlots(slots, edited, accounts[0]),
    };
    return { target: edited, record: withDue(adopted, edited, now) };
  },
};

/** The operations by name, so that a counterexample is readable. */
const texts: Readonly<Record<string, string>> = {
  empty: "",
  short: "anna",
  long: "x".repeat(5_000),
  pairs: "👋".repeat(2_000),
  // Six times as long in JSON.
  controls: "\u0001".repeat(1_500),
  quotes: '"\\'.repeat(900),
};

const habit = fc.array(
  fc.record({
    what: fc.constantFrom(...Object.keys(operations)),
    number: fc.nat({ max: 10_000 }),
    text: fc.constantFrom(...Object.keys(texts)),
  }),
  { minLength: 1, maxLength: 40 },
);

/** The operations on a target over some weeks. */
const circles: readonly (readonly [string, ...string[]])[] = [
  ["start", "block", "request", "join"],
  ["start", "advance", "goBack", "fail"],
  ["start", "request", "join", "fail", "giveUp", "wait"],
  ["drift", "tell", "tell"],
  ["editAccounts", "doubt", "editPolicy"],
  ["editPolicy", "request", "start", "expose", "use"],
  ["editAccounts", "request", "start", "advance", "advance", "succeed"],
];
const examples = circles.map(
  (circle, index): [{ what: string; number: number; text: string }[]] => [
    circle.map((what, number) => ({ what, number, text: index % 2 === 0 ? "long" : "controls" })),
  ],
);

const begun: Life = {
  record: newRecord("orders"),
  target: orders,
  now: "2026-03-01T10:00:00.000Z",
  count: 0,
};

function after(life: Life, operation: Operation, draw: Draw): Life {
  const result = operation(life, draw);
  const changed = "targetId" in result ? { record: result } : result;
  return { ...life, ...changed, now: plus(changed.now ?? life.now, 1), count: life.count + 1 };
}

/** No list in a record has more items. */
const maxItems = 20;

/** The length of the longest list and the longest text, at any depth. */
function largestIn(value: unknown): { readonly items: number; readonly characters: number } {
  if (typeof value === "string") return { items: 0, characters: value.length };
  if (typeof value !== "object" || value === null) return { items: 0, characters: 0 };
  const within = Object.values(value).map(largestIn);
  return {
    items: Math.max(Array.isArray(value) ? value.length : 0, ...within.map(({ items }) => items)),
    characters: Math.max(0, ...within.map(({ characters }) => characters)),
  };
}

/** Characters, including the escapes of control characters in JSON. Most records have a hundredth of it. */
const maxRecordLength = 400_000;
const lifetime = 10_000;

test("after 10,000 operations of any kind, a record is still small and can be stored", () => {
  fc.assert(
    fc.property(habit, (steps) => {
      let life = begun;
      for (let index = 0; index < lifetime; index++) {
        const step = steps[index % steps.length] ?? { what: "wait", number: 1, text: "" };
        // The same pattern with other numbers, so that the operations do not repeat.
        const number = step.number + Math.floor(index / steps.length);
        const operation = operations[step.what] ?? (() => life.record);
        life = after(life, operation, { number, text: texts[step.text] ?? "" });
        if (index % 100 > 0 && index < lifetime - 1) continue;
        const { record, now } = life;
        const { items, characters } = largestIn(record);
        expect(items).toBeLessThanOrEqual(maxItems);
        expect(characters).toBeLessThanOrEqual(maxWhyLength);
        expect(JSON.stringify(record).length).toBeLessThan(maxRecordLength);
        expect(targetColumns.read(targetColumns.write(record))).toMatchObject({
          slots: record.slots,
          claim: record.claim,
        });
        if (record.rotation)
          runColumns.write(toRunRecord(record.rotation, { record, state: "failed", now }));
      }
    }),
    { numRuns: 4 + examples.length, seed: 20_260_101, examples },
  );
}, 600_000);
