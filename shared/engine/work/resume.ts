import { ConfigError, VaultUnavailableError } from "../../core/errors.ts";
import {
  blockRotation,
  decideAfterFailure,
  failRotation,
  isUrgent,
  retryLater,
  stallRotation,
} from "../../core/lifecycle/after-failure.ts";
import { toAnsweredRuns } from "../../core/lifecycle/dated.ts";
import { isPaused } from "../../core/lifecycle/decide.ts";
import { withHold } from "../../core/lifecycle/hold.ts";
import { advance, goBack, succeed, toRunRecord } from "../../core/lifecycle/progress.ts";
import { isHurried } from "../../core/lifecycle/request.ts";
import { withCheck } from "../../core/record/check.ts";
import {
  type Failure,
  type Rotation,
  type TargetRecord,
  workingPhases,
} from "../../core/record/record.ts";
import { mayHaveChanged, withoutHold } from "../../core/record/rotation.ts";
import { between, type Instant, minute, plus, second } from "../../core/time.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { UnsettledError } from "../looks/settled.ts";
import { discardPending } from "../phases/cleaning.ts";
import { makeEmergency } from "../phases/emergency.ts";
import { type Advance, GoBackError, NotYetPropagatedError, PausedError } from "../phases/step.ts";
import { eventOf, steps } from "../phases/steps.ts";
import type { TargetSession } from "../session.ts";
import { commitHold, holdBackForVault } from "./hold-back.ts";

/** Continues the open rotation as far as possible now. */
export async function resume(session: TargetSession): Promise<void> {
  const isWorthAnotherTry = makeEmergency(session);
  for (;;) {
    const record = session.record();
    const { rotation } = record;
    // Let a request that came meanwhile join before another request replaces it.
    if (!rotation || rotation.phase === "blocked" || isHurried(record)) return;
    if (await mustWait(session, rotation)) return;
    // A step may have found that a person published the other account: evaluate the hold before each step.
    const held = withHold(record, session.target, session.now());
    if (held) {
      await commitHold(session, held);
      return;
    }
    const { phase } = rotation;
    const began = session.now();
    try {
      mustBeConfigured(session, rotation);
      const next = await steps[phase](session, rotation);
      moveOn(session, next);
    } catch (error) {
      if (error instanceof PausedError) return;
      if (await isWorthAnotherTry(rotation, error)) continue;
      if (!(await holdBackForVault(session, error))) await onFailure(session, error);
      return;
    }
    session.emit({
      type: eventOf[phase],
      rotationId: rotation.id,
      account: rotation.account,
      phase,
      duration: between(began, session.now()),
    });
    if (session.record().rotation === undefined) reportSuccess(session, rotation);
  }
}

/** Whether a person has paused the target. Learns of freezes that were set meanwhile, unless half a change must be finished. */
async function mustWait(session: TargetSession, rotation: Rotation): Promise<boolean> {
  if (mayHaveChanged(rotation)) return false;
  await session.noteFreezes();
  return isPaused(session.record(), rotation, session.now());
}

/** Requires a configured account, until its secret may have been changed. After that, the rotation continues to its end in any case. */
function mustBeConfigured({ target }: TargetSession, rotation: Rotation): void {
  const { account } = rotation;
  if (mayHaveChanged(rotation) || target.slots.some((slot) => slot.account === account)) return;
  throw new ConfigError(`${account} is no longer an account of target ${target.id}`);
}

function reportSuccess(session: TargetSession, rotation: Rotation): void {
  const { published } = session.record();
  session.emit({
    type: "succeeded",
    rotationId: rotation.id,
    account: rotation.account,
    duration: between(rotation.startedAt, session.now()),
    ...(published && { version: published }),
  });
}

/** Stages the next phase. A later step writes it when it must be durable, at the latest when the target is released. */
function moveOn(session: TargetSession, { to, learnt = {} }: Advance): void {
  const { ports, target } = session;
  const record = session.record();
  const { rotation } = record;
  if (!rotation) return;
  if (to !== "done") {
    const moved = advance(rotation, to, learnt, session.now());
    const run = toRunRecord(moved, { record, state: "running", now: session.now() });
    session.stage({ ...record, rotation: moved }, [run]);
    return;
  }
  const rotator = ports.rotator(target.type);
  const canRetire =
    rotator.retire !== undefined && rotator.findRetireFault?.(target.options) === undefined;
  const ended = { ...rotation, ...learnt };
  const done = succeed(record, { rotation: ended, target, canRetire, now: session.now() });
  session.stage(done, [
    toRunRecord(ended, { record: done, state: "done", now: session.now() }),
    ...toAnsweredRuns(record, ended, target, session.now()),
  ]);
}

async function onFailure(session: TargetSession, error: unknown): Promise<void> {
  rethrowUnlessExpected(error);
  const { rotation } = session.record();
  if (!rotation || rotation.phase === "blocked") throw error;
  const failure = toFailure(session, error);
  // A pause between guesses uses up no try, and neither does the wait for a lost request: nothing was tried.
  const judged =
    error instanceof GuessPauseError || error instanceof UnsettledError
      ? "retry"
      : decideAfterFailure(rotation, failure.kind, session.target.policy);
  if (judged === "retry") await waitForNextTry(session, rotation, failure, error);
  else if (judged === "leave-undone") leaveUndone(session, rotation, failure);
  else await end(session, rotation, failure, judged);
}

async function waitForNextTry(
  session: TargetSession,
  rotation: Rotation,
  failure: Failure,
  error: unknown,
): Promise<void> {
  const { target } = session;
  const urgent = isUrgent(session.record(), rotation);
  const moved =
    error instanceof GoBackError ? goBack(rotation, error.backTo, failure.at) : rotation;
  const waiting =
    waitWithoutFailure(moved, failure, error) ??
    notBefore(retryLater(moved, failure, target.policy, urgent), failure, error);
  const record = stallRotation(session.record(), waiting, failure, target.policy);
  await session.commit(record, [
    toRunRecord(waiting, { record, state: "running", now: failure.at, failure }),
  ]);
  session.emit({
    ...about(rotation),
    type: "attempt-failed",
    failure,
    nextAttemptAt: waiting.nextAttemptAt,
  });
}

/** Postpones the next try to the retry time that the vault sent. */
function notBefore<Waiting extends { readonly nextAttemptAt: Instant }>(
  waiting: Waiting,
  { at }: Failure,
  error: unknown,
): Waiting {
  const { retryAfter = 0 } = error instanceof VaultUnavailableError ? error : {};
  const earliest = plus(at, retryAfter);
  return waiting.nextAttemptAt >= earliest ? waiting : { ...waiting, nextAttemptAt: earliest };
}

/** Returns the waiting rotation if the error only means a wait. Returns undefined if it is a failure. */
function waitWithoutFailure(
  rotation: Rotation,
  failure: Failure,
  error: unknown,
): (Rotation & { readonly nextAttemptAt: Instant }) | undefined {
  if (error instanceof GuessPauseError || error instanceof UnsettledError)
    return { ...withoutHold(rotation), nextAttemptAt: error.until };
  if (!(error instanceof NotYetPropagatedError)) return undefined;
  return { ...rotation, nextAttemptAt: plus(failure.at, propagationPoll(rotation, failure)) };
}

/**
 * Milliseconds until the next log-in to a target that does not accept its new secret yet. The pauses grow up to a minute. An imported secret
 * may be wrong, so it is tried less often.
 */
function propagationPoll({ confirmedAt, startedAt }: Rotation, { at }: Failure): number {
  if (confirmedAt === undefined) return Math.max(between(startedAt, at), minute / 2);
  return Math.min(Math.max(between(confirmedAt, at) / 2, 10 * second), minute);
}

function leaveUndone(session: TargetSession, rotation: Rotation, failure: Failure): void {
  session.emit({ ...about(rotation), type: "attempt-failed", failure, detail: "left undone" });
  moveOn(session, { to: nextPhase(rotation), learnt: { leftUndone: failure } });
  if (session.record().rotation === undefined) reportSuccess(session, rotation);
}

async function end(
  session: TargetSession,
  rotation: Rotation,
  failure: Failure,
  how: "failed" | "blocked",
): Promise<void> {
  const { target } = session;
  const ended =
    how === "blocked"
      ? blockRotation(session.record(), rotation, failure)
      : failRotation(session.record(), rotation, failure, target.policy);
  const checked = how === "failed" ? withCheckOfPublished(ended, rotation, failure) : ended;
  await session.commit(checked, [
    toRunRecord(rotation, { record: ended, state: how, now: failure.at, failure }),
  ]);
  session.emit({ ...about(rotation), type: how, failure });
  if (how === "failed") await discardPending(session, rotation, failure);
}

/**
 * Schedules a check: after a failed change the target may refuse the published secret, while another stored secret works. A failed import
 * or undo is not repeated, so the check also finds out whether the target needs a rotation.
 */
function withCheckOfPublished(
  record: TargetRecord,
  rotation: Rotation,
  { at }: Failure,
): TargetRecord {
  const isDoubtful = mayHaveChanged(rotation) || rotation.given !== undefined;
  if (!isDoubtful || record.adoptedAt === undefined) return record;
  const why = `rotation ${rotation.id} failed, and may have changed ${rotation.account} before`;
  return withCheck(record, why, at);
}

function about({ id, account, phase }: Rotation) {
  return { rotationId: id, account, ...(phase !== "blocked" && { phase }) };
}

function nextPhase(rotation: Rotation): Advance["to"] {
  const index = workingPhases.findIndex((phase) => phase === rotation.phase);
  return workingPhases[index + 1] ?? "done";
}
