import { type ErrorKind, NoLiveCredentialError } from "../../core/errors.ts";
import { withExposedSuperseded } from "../../core/lifecycle/exposure.ts";
import { withSuperseded } from "../../core/lifecycle/grace-hold.ts";
import { withVerified } from "../../core/lifecycle/heartbeat.ts";
import { notify } from "../../core/lifecycle/notifications.ts";
import { describeStart, withDueAfterGrace } from "../../core/lifecycle/permit.ts";
import { isAway, retryDelay } from "../../core/lifecycle/retry.ts";
import { type PayloadReading, written } from "../../core/payload/payload.ts";
import { withDueAt } from "../../core/record/due.ts";
import { type RunRecord } from "../../core/record/history.ts";
import {
  type Failure,
  keyturn,
  type RotationRequest,
  type SecretEnd,
  type SlotRecord,
  type TargetRecord,
} from "../../core/record/record.ts";
import { newRun, pickGiven } from "../../core/record/rotation.ts";
import { adoptPublished, findSlot, keepSlots, withSlot } from "../../core/record/slots.ts";
import { computeFingerprint, type Target, type VersionRef } from "../../core/target.ts";
import { type Instant, plus } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import { logsIn } from "../calls/reach.ts";
import { readCurrent, readStored, toCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { recogniseOwner } from "../looks/owner.ts";
import { lookUpEnd } from "../looks/secret-end.ts";
import { findShapeWarning } from "../phases/publication.ts";
import type { TargetSession } from "../session.ts";

/** Adopts an existing credential: verifies it, and changes nothing. */
export async function adopt(session: TargetSession): Promise<void> {
  try {
    const adopted = await examine(session);
    session.log({
      ...{ by: keyturn, action: "credential.adopt", outcome: "succeeded" },
      detail: describeAdopted(adopted),
    });
    await session.commit(adopted);
    session.emit({ type: "adopted", ...(adopted.published && { version: adopted.published }) });
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, error);
  }
}

function describeAdopted({ active, published }: TargetRecord): string {
  if (!published) return "no published secret logs in";
  return `account ${active ?? "unknown"}; published ${published.name} version ${published.version}`;
}

async function examine(session: TargetSession): Promise<TargetRecord> {
  const { target } = session;
  const slots = await initialSlots(session);
  const current = await readCurrent(session, target.publish);
  const accounts = target.slots.map((slot) => slot.account);
  await recogniseOwner(session, current);
  const credential =
    typeof current === "string" ? undefined : toCredential(session, current, accounts);
  if (typeof current === "string") {
    const why = `the published secret ${target.publish.name} is ${current}`;
    const record = withoutPublished(session, slots, why);
    // Without a due moment Keyturn publishes nothing by itself, so do not report the target as healthy.
    if (record.nextDue !== undefined) return record;
    return failingFrom(
      record,
      "config",
      `${why}, and no rotation is planned. Request a rotation`,
      session.now(),
    );
  }
  const reading = readStored(session, current, accounts);
  if (!credential || reading.kind === "none") {
    return withoutCredential(session, slots, current, reading);
  }
  if (!(await logsIn(session, { credential, ref: current.ref }))) {
    const why = `the target refuses the published secret ${target.publish.name}`;
    const record = withoutPublished(session, slots, why, current.createdAt);
    return failingFrom(record, "change-refused", why, session.now());
  }
  const { active, published } = session.record();
  const before = active === credential.account ? published : undefined;
  const all = withSlot(
    slots,
    adoptPublished(findSlot({ slots }, credential.account), current, before),
  );
  requireAllToLogIn(session, all, "");
  const warning = findShapeWarning(session, reading.shape);
  const end = await lookUpEnd(session, current.ref, credential);
  const found = { ...(warning && { warning }), ...(end && { end }) };
  const live = { ref: current.ref, by: credential.account, ...found };
  return withAdopted(session, all, current.createdAt, live);
}

/**
 * Handles a published secret without a credential of the target. Keyturn replaces it at once if nothing is lost by that. Any other
 * content may be in use: it stays until a rotation is due by its age or requested, and an alarm announces that before.
 */
function withoutCredential(
  session: TargetSession,
  slots: SlotRecord[],
  current: StoredSecret,
  reading: PayloadReading,
): TargetRecord {
  const { name, as } = session.target.publish;
  const content = reading.kind === "none" ? reading.content : "text";
  const what = reading.kind === "none" ? reading.why : "contains the credential of another account";
  const why = `the published secret ${name} holds no credential of target ${session.target.id}: the secret ${what}`;
  if (content === "nothing" || (content === "keys" && as === "json")) {
    return withoutPublished(session, slots, why);
  }
  const message = `${why}. The next rotation will replace it with ${written[as]}`;
  const record = withoutPublished(session, slots, why, current.createdAt);
  return failingFrom(record, "config", message, session.now());
}

/** Finds the initial secrets of the accounts. Keeps known ones: a target may be adopted again because its published secret changed. */
async function initialSlots(session: TargetSession): Promise<SlotRecord[]> {
  let slots = [...session.record().slots];
  for (const { account, initial } of session.target.slots) {
    if (!initial || slots.some((slot) => slot.account === account && slot.current)) continue;
    const stored = await readCurrent(session, initial);
    if (typeof stored === "string") continue;
    const credential = toCredential(session, stored, [account]);
    if (credential && (await logsIn(session, { credential, ref: stored.ref }))) {
      slots = withSlot(slots, { account, current: stored.ref });
    }
  }
  return slots;
}

/**
 * Adopts a target without a usable published secret. It is due at once if nothing was ever published. The record keeps the account
 * published before: consumers of a secret with another name still use that account, so the other account is rotated next.
 */
function withoutPublished(
  session: TargetSession,
  slots: SlotRecord[],
  why: string,
  writtenAt?: Instant,
): TargetRecord {
  requireAllToLogIn(session, slots, `${why}; `);
  return withAdopted(session, slots, writtenAt);
}

/** Requires that accounts which change their own secret can log in. */
function requireAllToLogIn(
  session: TargetSession,
  slots: readonly SlotRecord[],
  why: string,
): void {
  if (session.target.authority.as !== "self") return;
  const known = new Set(slots.filter((slot) => slot.current).map((slot) => slot.account));
  const unknown = session.target.slots.filter((slot) => !known.has(slot.account));
  if (unknown.length === 0) return;
  const names = unknown.map((slot) => slot.account).join(" and ");
  throw new NoLiveCredentialError(
    `${why}no stored secret of ${names} logs in, and with admin: self only the account can change its password. ` +
      "Store the current password of the account in the published secret, or in the secret under initial",
  );
}

/** The published secret that logs in. */
interface Live {
  readonly ref: VersionRef;
  readonly by: string;
  readonly warning?: string;
  readonly end?: SecretEnd;
}

function withAdopted(
  session: TargetSession,
  slots: readonly SlotRecord[],
  changedAt: Instant | undefined,
  live?: Live,
): TargetRecord {
  const { target } = session;
  const now = session.now();
  const before = session.record();
  const { published: _p, secretEnd: _e, writtenAt: _w, ...others } = before;
  const { verifiedAt: _v, heartbeat: _h, awaited: _a, ...rest } = others;
  const record: TargetRecord = {
    ...rest,
    health: "healthy",
    slots: keepSlots(slots, target, live?.by ?? rest.active),
    ...(live ? { published: live.ref } : changedAt !== undefined && { writtenAt: changedAt }),
    ...(live?.end && { secretEnd: live.end }),
    adoptedAt: now,
    failures: 0,
    policyFingerprint: computeFingerprint(target),
  };
  const data = {
    secret: target.publish.name,
    ...(live && { version: live.ref.version, account: live.by }),
    ...(live?.warning !== undefined && { warning: live.warning }),
  };
  const handedOver = live
    ? withSuperseded(withVerified(record, target, now), { active: live.by, at: now }, target)
    : record;
  const exposed = withExposedSuperseded(handedOver, before);
  return notify(withDueAfterGrace(exposed, target, now), {
    type: "credential.adopted",
    at: now,
    data,
  });
}

/** Marks the target as failing, without making it due earlier. */
function failingFrom(
  record: TargetRecord,
  kind: ErrorKind,
  message: string,
  now: Instant,
): TargetRecord {
  const lastFailure = { kind, message, at: now } as const;
  const reported = notify(record, { type: "drift.found", at: now, data: { detail: message } });
  return { ...reported, health: "failing", lastFailure };
}

async function tryAgainLater(session: TargetSession, error: unknown): Promise<void> {
  const { target } = session;
  const failure = toFailure(session, error);
  const { request, ...rest } = session.record();
  if (error instanceof GuessPauseError && rest.lastFailure) {
    // Keep the earlier failure: the refusal says more than this pause.
    await session.commit(withDueAt(session.record(), error.until, tryWhy));
    session.emit({ type: "attempt-failed", failure, detail: "adopt the target" });
    return;
  }
  const failures = rest.failures + 1;
  const delay = retryDelay(target.policy.retry, failures, `${target.id}/adopt`);
  const again = plus(failure.at, delay);
  const record: TargetRecord = {
    ...withDueAt(rest, again, tryWhy),
    health: failure.kind === "no-live-credential" ? "blocked" : "failing",
    failures,
    lastFailure: failure,
  };
  const runs = request
    ? [failedRun(session, { request, record: rest, nextDue: again, failure })]
    : [];
  await session.commit(withAdoptionAlarm(record, rest, failure, target), runs);
  session.emit({ type: "attempt-failed", failure, detail: "adopt the target" });
}

const tryWhy = "next try to adopt the target";

/** Raises an alarm: at once if only a person can fix the problem, after the first tries if the target or vault is unavailable. */
function withAdoptionAlarm(
  record: TargetRecord,
  before: Pick<TargetRecord, "lastFailure">,
  failure: Failure,
  { policy }: Target,
): TargetRecord {
  const isNews = isAway(failure)
    ? record.failures === policy.retry.attempts
    : before.lastFailure?.message !== failure.message;
  const data = { kind: "adoption", message: failure.message };
  return isNews ? notify(record, { type: "alarm", at: failure.at, data }) : record;
}

/** Returns the failed run of a requested rotation that cannot begin because the adoption failed. */
function failedRun(
  { target }: TargetSession,
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
    ...pickGiven(request),
    failure,
  });
}
