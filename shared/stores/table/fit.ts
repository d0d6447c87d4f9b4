import type { RunRecord } from "../../core/record/history.ts";
import { type Justification, mapJustification } from "../../core/record/justification.ts";
import type { Pause } from "../../core/record/pause.ts";
import type {
  CheckRequest,
  DatedRequest,
  Exposure,
  Failure,
  Lift,
  Notification,
  RetryIntent,
  Rotation,
  RotationRequest,
  TargetRecord,
} from "../../core/record/record.ts";
import { maxWhyLength, shorten } from "../../core/shorten.ts";

/**
 * How a record shortens a field, step by step, while the field is too long for its column. The limits where values are added prevent
 * this, but a record that still grows too large must not lock its target. `undefined` drops the field.
 */
export type Reductions<T> = {
  readonly [K in keyof T]?: readonly ((value: NonNullable<T[K]>) => T[K] | undefined)[];
};

type Short = (text: string) => string;
const readable: Short = (text) => shorten(text, maxWhyLength);
const brief: Short = (text) => shorten(text, 100);

/** As many phases as a rotation without failures has. */
const fewPhases = 6;

/**
 * Fields without steps are never shortened, because safety depends on them: slots, published, retirement, refusals, claim. A rotation
 * loses only texts and its oldest phases.
 */
export const targetReductions: Reductions<TargetRecord> = {
  lastFailure: [failureIn(readable), failureIn(brief)],
  rotation: [rotationIn(readable), withFewPhases, rotationIn(brief)],
  request: [requestIn(readable), requestIn(brief)],
  given: [requestIn(readable), requestIn(brief)],
  dated: [datedIn(readable), datedIn(brief)],
  again: [againIn(readable), againIn(brief)],
  check: [checkIn(readable), checkIn(brief)],
  exposure: [exposureIn(readable), exposureIn(brief)],
  lastUsedBy: [readable],
  pause: [pauseIn(readable), pauseIn(brief)],
  dueReason: [readable],
  passedOver: [explainedIn(readable), explainedIn(brief), drop],
  policyWhy: [readable],
  policiesPassedOver: [explainedIn(readable), explainedIn(brief), drop],
  // Delivery is at least once: a notifier whose name is dropped here gets the notification again.
  outbox: [
    outboxIn(readable),
    outboxIn(brief),
    newest(10),
    newest(5),
    newest(2),
    newest(1),
    withoutDelivery,
    newest(0),
  ],
};

export const runReductions: Reductions<RunRecord> = {
  why: [readable],
  requestedBy: [readable],
  phases: [newest(fewPhases)],
  failure: [failureIn(readable), failureIn(brief)],
  dueReason: [readable],
  lift: [liftIn(readable), liftIn(brief)],
  force: [liftIn(readable), liftIn(brief)],
  justification: [justificationIn(readable), justificationIn(brief)],
};

/** The record with its long fields shortened as far as their steps go. */
export function fit<T extends object>(
  record: T,
  reductions: Reductions<T>,
  isTooLong: (field: keyof T & string, value: unknown) => boolean,
): T {
  const fitted = { ...record };
  for (const field of Object.keys(reductions) as (keyof T & string)[]) {
    const value = fitField(record[field], reductions[field], (one) => isTooLong(field, one));
    if (value === undefined) Reflect.deleteProperty(fitted, field);
    else fitted[field] = value;
  }
  return fitted;
}

function fitField<Value>(
  value: Value,
  steps: readonly ((value: NonNullable<Value>) => Value | undefined)[] = [],
  isTooLong: (value: Value) => boolean,
): Value | undefined {
  let fitted: Value | undefined = value;
  for (const step of steps) {
    if (fitted === undefined || fitted === null || !isTooLong(fitted)) break;
    fitted = step(fitted);
  }
  return fitted;
}

function rotationIn(short: Short) {
  return (rotation: Rotation): Rotation => ({
    ...rotation,
    why: short(rotation.why),
    requestedBy: short(rotation.requestedBy),
    ...waitingIn(short)(rotation),
    ...(rotation.leftUndone && { leftUndone: failureIn(short)(rotation.leftUndone) }),
  });
}

function withFewPhases(rotation: Rotation): Rotation {
  return { ...rotation, phases: newest(fewPhases)(rotation.phases) };
}

function requestIn(short: Short) {
  return <Request extends RotationRequest>(request: Request): Request => ({
    ...request,
    requestedBy: short(request.requestedBy),
    ...(request.why !== undefined && { why: short(request.why) }),
    ...waitingIn(short)(request),
  });
}

function datedIn(short: Short) {
  return (dated: readonly DatedRequest[]): readonly DatedRequest[] => dated.map(requestIn(short));
}

function againIn(short: Short) {
  return (again: RetryIntent): RetryIntent => ({
    ...again,
    why: short(again.why),
    requestedBy: short(again.requestedBy),
    ...waitingIn(short)(again),
  });
}

type Waiting = Pick<RotationRequest, "heldBy" | "lift" | "force" | "justification">;

function waitingIn(short: Short) {
  return ({ heldBy, lift, force, justification }: Waiting) => ({
    ...(justification && { justification: justificationIn(short)(justification) }),
    ...(heldBy !== undefined && { heldBy: short(heldBy) }),
    ...(lift && { lift: liftIn(short)(lift) }),
    ...(force && { force: liftIn(short)(force) }),
  });
}

function liftIn(short: Short) {
  return (lift: Lift): Lift => ({
    ...lift,
    by: short(lift.by),
    why: short(lift.why),
  });
}

function pauseIn(short: Short) {
  return (pause: Pause): Pause => ({
    ...pause,
    ...mapJustification(pause, short),
    reason: short(pause.reason),
    by: short(pause.by),
  });
}

function justificationIn(short: Short) {
  return (given: Justification): Justification => mapJustification(given, short);
}

function failureIn(short: Short) {
  return (failure: Failure): Failure => ({ ...failure, message: short(failure.message) });
}

function checkIn(short: Short) {
  return (check: CheckRequest): CheckRequest => ({ ...check, why: short(check.why) });
}

function exposureIn(short: Short) {
  return (exposure: Exposure): Exposure => ({
    ...exposure,
    by: short(exposure.by),
    ...(exposure.justification && {
      justification: mapJustification(exposure.justification, short),
    }),
    ...(exposure.from !== undefined && { from: short(exposure.from) }),
    ...(exposure.alsoBy && { alsoBy: exposure.alsoBy.map(short) }),
  });
}

function explainedIn(short: Short) {
  return <Item extends { readonly why: string }>(items: readonly Item[]): readonly Item[] =>
    items.map((item) => ({ ...item, why: short(item.why) }));
}

function outboxIn(short: Short) {
  return (outbox: readonly Notification[]): readonly Notification[] =>
    outbox.map((one) => {
      const data = Object.entries(one.data).map(([field, value]) => [
        field,
        typeof value === "string" ? short(value) : value,
      ]);
      return { ...one, data: Object.fromEntries(data) as Notification["data"] };
    });
}

function withoutDelivery(outbox: readonly Notification[]): readonly Notification[] {
  return outbox.map(({ toldTo: _, ...one }) => one);
}

function newest(maxItems: number) {
  return <Item>(items: readonly Item[]): readonly Item[] =>
    maxItems === 0 ? [] : items.slice(-maxItems);
}

function drop(): undefined {
  return undefined;
}
