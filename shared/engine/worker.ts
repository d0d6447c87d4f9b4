import { LeaseLostError } from "../core/errors.ts";
import { decideWork, findWakeTime, isClaimed, type Work } from "../core/lifecycle/decide.ts";
import { handoverMs } from "../core/lifecycle/grace-hold.ts";
import { joinRequest } from "../core/lifecycle/request.ts";
import { withCheck } from "../core/record/check.ts";
import { type TargetRecord } from "../core/record/record.ts";
import { mayHaveChanged, newRecord, withoutSkip } from "../core/record/rotation.ts";
import type { Target } from "../core/target.ts";
import { type Instant, plus, second, toInstant } from "../core/time.ts";
import { JournalUnavailableError } from "../stores/journal.ts";
import { raiseAlarm } from "./alarm.ts";
import { rethrowUnlessExpected, toFailure } from "./failure.ts";
import { freezeTarget } from "./fleet/frozen-targets.ts";
import type { SkippedTurn } from "./fleet/servers.ts";
import { takeTurn } from "./fleet/turn.ts";
import { report } from "./inbox/report.ts";
import { syncPublished } from "./looks/drift.ts";
import { refreshPending } from "./phases/refresh.ts";
import type { Ports } from "./ports.ts";
import { openSession, type TargetSession } from "./session.ts";
import { adopt } from "./work/adopt.ts";
import { remind } from "./work/await-value.ts";
import { check } from "./work/check.ts";
import { join } from "./work/join.ts";
import { flushOutbox } from "./work/notify.ts";
import { reschedule } from "./work/reschedule.ts";
import { resume } from "./work/resume.ts";
import { retire } from "./work/retire.ts";
import { start } from "./work/start.ts";

const work: Readonly<Record<Exclude<Work, "wait">, (session: TargetSession) => Promise<void>>> = {
  adopt,
  join,
  start,
  resume,
  remind,
  check,
  refresh: refreshPending,
  retire,
  notify: flushOutbox,
};

/** No target needs more steps in one call. The sweep finds any work that is left. */
const maxInOneGo = 12;
const maxRounds = 3;

/**
 * Does everything that is due for one target now, under one claim. Returns when the target is due next. Callers may call it at any
 * time, twice, or while another worker runs: the journal decides which worker owns the target, and what it does.
 */
export async function workOn(
  ports: Ports,
  target: Target,
  options: Options = {},
): Promise<Instant | undefined> {
  return (await workAndReport(ports, target, options)).wakeAt;
}

/** Does the same as `workOn`, and also returns whether it wrote to the journal. */
export async function workAndReport(
  ports: Ports,
  target: Target,
  options: Options = {},
): Promise<Worked> {
  let [left, hasWritten] = [options, false];
  for (let rounds = 0; ; rounds++) {
    const worked = await workOnce(ports, target, left);
    if (worked === "lost") {
      // A caller wrote first. Repeat, so that the hint in this worker's message is not lost.
      if (rounds < maxRounds) continue;
      if (left.checkDrift) await requestCheck(ports, target, toInstant(ports.journal.now()));
      return { wakeAt: undefined, hasWritten };
    }
    [left, hasWritten] = [{}, hasWritten || worked.hasWritten];
    // A caller may have requested something while this worker released the target.
    const isReached =
      worked.wakeAt !== undefined && worked.wakeAt <= toInstant(ports.journal.now());
    if (!isReached || rounds >= maxRounds) return { ...worked, hasWritten };
  }
}

export interface Worked {
  readonly wakeAt: Instant | undefined;
  readonly hasWritten: boolean;
}

interface Options {
  /** Whether to check for a published version that somebody else wrote. */
  readonly checkDrift?: boolean;
}

async function workOnce(
  ports: Ports,
  configured: Target,
  options: Options,
): Promise<Worked | "lost"> {
  const target = await freezeTarget(ports, configured);
  const found = await ports.journal.read(target.id);
  const record = found?.record ?? newRecord(target.id);
  const now = toInstant(ports.journal.now());
  if (isClaimed(record, now)) {
    if (options.checkDrift) return leaveToHolder(ports, target, now);
    return { wakeAt: record.claim.until, hasWritten: false };
  }
  const planned = reschedule(record, target, now);
  if (isQuiet(record, planned, now) && !options.checkDrift) {
    return { wakeAt: findWakeTime(record, now), hasWritten: false };
  }
  const session = openSession(ports, configured, ports.newId(), {
    record: withoutSkip(planned),
    etag: found?.etag,
  });
  await session.noteFreezes();
  const first = options.checkDrift ? "check" : firstWork(session.record(), now);
  const turn = await takeTurn(session, planned, first);
  if ("until" in turn) return skipTarget(session, turn, options);
  try {
    return await workUnderClaim(session, options.checkDrift ?? false);
  } finally {
    turn.leave();
  }
}

/** The first work after any join: a request that joins a rotation is followed by that rotation. */
function firstWork(record: TargetRecord, now: Instant): Work {
  const first = decideWork(record, now);
  return first === "join" ? decideWork(joinRequest(record, now), now) : first;
}

/** Postpones the target, without working on it, and records why. */
async function skipTarget(
  session: TargetSession,
  { until, why }: SkippedTurn,
  { checkDrift = false }: Options,
): Promise<Worked | "lost"> {
  const now = session.now();
  const record = session.record();
  const doubtful = checkDrift && !record.check ? withCheck(record, written, now) : record;
  session.stage({ ...doubtful, skipped: { at: now, until, why } });
  try {
    await session.release();
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    return "lost";
  }
  session.emit({ type: "held-back", nextAttemptAt: until, detail: why });
  return { wakeAt: findWakeTime(session.record(), session.now()), hasWritten: true };
}

/** Whether the target needs no work and no write. The expired claim of a dead worker must be released, or the sweep finds it every time. */
function isQuiet(record: TargetRecord, planned: TargetRecord, now: Instant): boolean {
  const isLeftBehind = record.claim.owner !== undefined;
  return decideWork(planned, now) === "wait" && planned === record && !isLeftBehind;
}

async function workUnderClaim(
  session: TargetSession,
  checkDrift: boolean,
): Promise<Worked | "lost"> {
  try {
    const first = decideWork(session.record(), session.now());
    // `start` writes the claim itself. Where nothing is due, one write is enough.
    if ((first !== "start" && first !== "wait") || checkDrift) await session.flush();
    if (checkDrift) await lookForDrift(session);
    await doAll(session);
    await session.release();
  } catch (error) {
    // Another worker, or a caller with a request, wrote first.
    if (error instanceof LeaseLostError && !session.hasClaim()) return "lost";
    if (error instanceof LeaseLostError) await onClaimLost(session);
    else if (error instanceof JournalUnavailableError) throw error;
    else await restAfterBug(session, error);
    return { wakeAt: undefined, hasWritten: true };
  }
  return { wakeAt: findWakeTime(session.record(), session.now()), hasWritten: true };
}

async function doAll(session: TargetSession): Promise<void> {
  for (let done = 0; done < maxInOneGo; done++) {
    const { rotation } = session.record();
    // Nothing about freezes may keep half a change from its end.
    if (!rotation || !mayHaveChanged(rotation)) await session.noteFreezes();
    const next = decideWork(session.record(), session.now());
    if (next === "wait" && !rescheduleUnderClaim(session)) return;
    if (next !== "wait") await work[next](session);
  }
}

/** Reschedules the target after a rotation: an edit of the configuration takes effect only when the open rotation has ended. */
function rescheduleUnderClaim(session: TargetSession): boolean {
  const record = session.record();
  const planned = reschedule(record, session.target, session.now());
  if (planned === record) return false;
  session.stage(planned);
  return true;
}

/**
 * Releases the target with the record as last written, which is valid; postpones it, and raises an alarm at once: the next try would
 * most likely fail in the same way.
 */
async function restAfterBug(session: TargetSession, error: unknown): Promise<void> {
  const failure = toFailure(session, error);
  const { retry } = session.target.policy;
  const restUntil = plus(failure.at, retry.every);
  await session.commit({ ...session.record(), health: "failing", lastFailure: failure, restUntil });
  await session.release();
  await raiseAlarm(session.ports, "bug", failure.message, { targetId: session.target.id });
}

/**
 * Another worker owns the target. If this worker had sent a change whose outcome it could not record, that change may have overwritten
 * a newer one. So this worker raises an alarm, and the owner must check that the published secret logs in.
 */
async function onClaimLost(session: TargetSession): Promise<void> {
  session.emit({ type: "lease-lost" });
  if (!session.hasUnwrittenChange()) return;
  const { ports, target } = session;
  const why = `A worker changed target ${target.id} after it lost its claim`;
  await report(ports, target, (record, now) => ({
    record: withCheck(record, why, now),
  }));
  const message = `${why}. Keyturn is checking the published secret now.`;
  await raiseAlarm(ports, "claim-lost-after-change", message, { targetId: target.id });
}

const written = "the published secret was written by hand";

/** Another worker holds the target, or has released it just before the check was requested: then the check is due now. */
async function leaveToHolder(ports: Ports, target: Target, now: Instant): Promise<Worked> {
  await requestCheck(ports, target, now);
  const found = await ports.journal.read(target.id);
  return { wakeAt: found && findWakeTime(found.record, now), hasWritten: true };
}

/** Schedules a check of the published secret for the worker that holds the target, after its present work. */
async function requestCheck(ports: Ports, target: Target, at: Instant): Promise<void> {
  await report(ports, target, (record) => ({
    record: record.check ? record : withCheck(record, written, at),
  }));
}

/**
 * Checks for a published version that somebody else wrote. If it cannot be read now, or the target refuses it, it is checked again
 * later: until then Keyturn does not know whether consumers can log in.
 */
async function lookForDrift(session: TargetSession): Promise<void> {
  const { rotation, adoptedAt } = session.record();
  if (adoptedAt === undefined) return;
  if (rotation && mayHaveChanged(rotation)) {
    await checkLater(session, session.now());
    return;
  }
  try {
    const published = await syncPublished(session);
    // An operator who changes a credential by hand may publish it first, so allow time for the change.
    if (published.is === "refused") await checkLater(session, plus(session.now(), handoverMs));
  } catch (error) {
    rethrowUnlessExpected(error);
    const failure = toFailure(session, error);
    session.emit({ type: "attempt-failed", failure, detail: "check for drift" });
    await checkLater(session, plus(session.now(), 5 * second));
  }
}

async function checkLater(session: TargetSession, at: Instant): Promise<void> {
  const record = session.record();
  if (record.check) return;
  await session.commit(withCheck(record, written, at));
}
