import { type ErrorKind, NoLiveCredentialError } from "../../core/errors.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import { describeStart } from "../../core/lifecycle/permit.ts";
import { isAway, retryDelay } from "../../core/lifecycle/retry.ts";
import { type PayloadReading, readPayload, written } from "../../core/payload/payload.ts";
import { dueAt, withDue } from "../../core/record/due.ts";
import {
  type Failure,
  newRun,
  type RotationRequest,
  type RunRecord,
  type SlotRecord,
  type TargetRecord,
} from "../../core/record/rotation.ts";
import { findSlot, keptSlots, withSlot } from "../../core/record/slots.ts";
import { computeFingerprint, type Target, type VersionRef } from "../../core/target.ts";
import { type Instant, plus } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import { credentialIn, logsIn, readCurrent } from "../calls/reach.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { shapeWarning } from "../phases/publication.ts";
import type { Session } from "../session.ts";

/** Takes an existing credential under management: verifies it, changes nothing. */
export async function adopt(session: Session): Promise<void> {
  try {
    const adopted = await examine(session);
    await session.commit(adopted);
    session.emit({ type: "adopted", ...(adopted.published && { version: adopted.published }) });
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, error);
  }
}

async function examine(session: Session): Promise<TargetRecord> {
  const { target } = session;
  const slots = await initialSlots(session);
  const current = await readCurrent(session, target.publish);
  const accounts = target.slots.map((slot) => slot.account);
  const credential =
    typeof current === "string" ? undefined : credentialIn(session, current, accounts);
  if (typeof current === "string") {
    const why = `${target.publish.name} is ${current}`;
    const record = withoutPublished(session, slots, why);
    // Nobody is to think that all is well where nothing will be published by itself.
    if (record.nextDue !== undefined) return record;
    return failingFrom(
      record,
      "config",
      `${why}, and nothing is planned: request a rotation`,
      session.now(),
    );
  }
  const reading = readPayload(current.value, accounts);
  if (!credential || reading.kind === "none") {
    return withoutCredential(session, slots, current, reading);
  }
  if (!(await logsIn(session, { credential, ref: current.ref }))) {
    const why = `the target refuses what ${target.publish.name} says`;
    const record = withoutPublished(session, slots, why, current.createdAt);
    return failingFrom(record, "change-refused", why, session.now());
  }
  const found: SlotRecord = {
    ...findSlot({ ...session.record(), slots }, credential.account),
    current: current.ref,
    changedAt: current.createdAt,
  };
  const all = withSlot(slots, found);
  requireAllToLogIn(session, all, "");
  const warning = shapeWarning(session, reading.shape);
  const live = { ref: current.ref, by: credential.account, ...(warning && { warning }) };
  return withAdopted(session, all, current.createdAt, live);
}

/**
 * Replaced at once where nothing is lost by that. Any other text may be in use: it stays until a rotation is due by its age or asked
 * for, and somebody is told before.
 */
function withoutCredential(
  session: Session,
  slots: SlotRecord[],
  current: StoredSecret,
  reading: PayloadReading,
): TargetRecord {
  const { name, as } = session.target.publish;
  const content = reading.kind === "none" ? reading.content : "text";
  const what = reading.kind === "none" ? reading.why : "holds another credential";
  const why = `${name} contains no credential of the target: it ${what}`;
  if (content === "nothing" || (content === "keys" && as === "json")) {
    return withoutPublished(session, slots, why);
  }
  const message = `${why}. The next rotation will replace it with ${written[as]}`;
  const record = withoutPublished(session, slots, why, current.createdAt);
  return failingFrom(record, "config", message, session.now());
}

/** What is known from before stays known: a target may be adopted anew because it publishes elsewhere now. */
async function initialSlots(session: Session): Promise<SlotRecord[]> {
  let slots = [...session.record().slots];
  for (const { account, initial } of session.target.slots) {
    if (!initial || slots.some((slot) => slot.account === account && slot.current)) continue;
    const stored = await readCurrent(session, initial);
    if (typeof stored === "string") continue;
    const credential = credentialIn(session, stored, [account]);
    if (credential && (await logsIn(session, { credential, ref: stored.ref }))) {
      slots = withSlot(slots, { account, current: stored.ref });
    }
  }
  return slots;
}

/**
 * Nothing that consumers could use is published; a target of which nothing ever was is due at once. Which account was
 * published before stays known: consumers of a secret by another name go on using it, so it is the other one's turn.
 */
function withoutPublished(
  session: Session,
  slots: SlotRecord[],
  why: string,
  writtenAt?: Instant,
): TargetRecord {
  requireAllToLogIn(session, slots, `${why}, and `);
  return withAdopted(session, slots, writtenAt);
}

/** Accounts that change their own secret must be able to log in to begin with. */
function requireAllToLogIn(session: Session, slots: readonly SlotRecord[], why: string): void {
  if (session.target.authority.as !== "self") return;
  const known = new Set(slots.filter((slot) => slot.current).map((slot) => slot.account));
  const unknown = session.target.slots.filter((slot) => !known.has(slot.account));
  if (unknown.length === 0) return;
  const names = unknown.map((slot) => slot.account).join(" and ");
  throw new NoLiveCredentialError(
    `${why}no stored secret of ${names} logs in, though only the account itself can change it: ` +
      "store its present secret there",
  );
}

function withAdopted(
  session: Session,
  slots: readonly SlotRecord[],
  changedAt: Instant | undefined,
  live?: { readonly ref: VersionRef; readonly by: string; readonly warning?: string },
): TargetRecord {
  const { target } = session;
  const now = session.now();
  const { published: _p, writtenAt: _w, ...rest } = session.record();
  const record: TargetRecord = {
    ...rest,
    health: "healthy",
    slots: keptSlots(slots, target, live?.by ?? rest.active),
    ...(live
      ? { active: live.by, published: live.ref }
      : changedAt !== undefined && { writtenAt: changedAt }),
    adoptedAt: now,
    failures: 0,
    policyFingerprint: computeFingerprint(target),
  };
  const data = {
    secret: target.publish.name,
    ...(live && { version: live.ref.version, account: live.by }),
    ...(live?.warning !== undefined && { warning: live.warning }),
  };
  const due = withDue(record, target, now);
  const isOther = live !== undefined && rest.active !== undefined && live.by !== rest.active;
  return notify(isOther ? afterGrace(due, target.grace, now) : due, {
    type: "credential.adopted",
    at: now,
    data,
  });
}

/** Consumers of the account that was published before have the grace to read the new secret. */
function afterGrace(record: TargetRecord, grace: number, now: Instant): TargetRecord {
  const end = plus(now, grace);
  if (record.nextDue === undefined || record.nextDue >= end) return record;
  return dueAt(record, end, "the grace of the account that was published before");
}

/** Nothing is changed before its time, but nobody is to think that all is well. */
function failingFrom(
  record: TargetRecord,
  kind: ErrorKind,
  message: string,
  now: Instant,
): TargetRecord {
  const lastFailure = { kind, message, at: now } as const;
  const told = notify(record, { type: "drift.found", at: now, data: { detail: message } });
  return { ...told, health: "failing", lastFailure };
}

async function tryAgainLater(session: Session, error: unknown): Promise<void> {
  const { target } = session;
  const failure = toFailure(session, error);
  const { request, ...rest } = session.record();
  if (error instanceof GuessPauseError && rest.lastFailure) {
    // What was refused before says more than that nothing is asked now.
    await session.commit(dueAt(session.record(), error.until, tryWhy));
    session.emit({ type: "attempt-failed", failure, detail: "adoption" });
    return;
  }
  const failures = rest.failures + 1;
  const delay = retryDelay(target.policy.retry, failures, `${target.id}/adopt`);
  const again = plus(failure.at, delay);
  const record: TargetRecord = {
    ...dueAt(rest, again, tryWhy),
    health: failure.kind === "no-live-credential" ? "blocked" : "failing",
    failures,
    lastFailure: failure,
  };
  const runs = request
    ? [failedRun(session, { request, record: rest, nextDue: again, failure })]
    : [];
  await session.commit(withAdoptionAlarm(record, rest, failure, target), runs);
  session.emit({ type: "attempt-failed", failure, detail: "adoption" });
}

const tryWhy = "another try to adopt the target";

/** What only a person can correct is told at once; a target or vault that is away, once the short tries are used up. */
function withAdoptionAlarm(
  record: TargetRecord,
  before: Pick<TargetRecord, "lastFailure">,
  failure: Failure,
  { policy }: Target,
): TargetRecord {
  const isNews = isAway(failure)
    ? record.failures === policy.retry.attempts
    : before.lastFailure?.message !== failure.message;
  const told = { kind: "adoption", message: failure.message };
  return isNews ? notify(record, { type: "alarm", at: failure.at, data: told }) : record;
}

/** The end of the rotation that somebody asked for, which cannot begin without an adoption. */
function failedRun(
  { target }: Session,
  {
    request,
    record,
    nextDue,
    failure,
  }: {
    readonly request: RotationRequest;
    readonly record: Omit<TargetRecord, "request">;
    readonly nextDue: Instant;
    readonly failure: Failure;
  },
): RunRecord {
  return newRun({
    rotationId: request.rotationId,
    targetId: target.id,
    state: "failed",
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: request.at,
    ...describeStart(request, record, target, failure.at),
    nextDue,
    dueReason: tryWhy,
    endedAt: failure.at,
    phases: [],
    ...(request.lift && { lift: request.lift }),
    failure,
  });
}
