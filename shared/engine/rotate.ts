import { isKnownError, LeaseLostError } from "../core/errors.ts";
import {
  advance,
  beginRotation,
  blockRotation,
  failRotation,
  judge,
  retryLater,
  runOf,
  succeed,
} from "../core/progress.ts";
import { redact } from "../core/redact.ts";
import {
  type Failure,
  type Rotation,
  type RotationRequest,
  type TargetRecord,
  workingPhases,
} from "../core/rotation.ts";
import { accountToChange } from "../core/slots.ts";
import { between, type Instant, plus, second } from "../core/time.ts";
import { JournalUnavailableError } from "../stores/journal.ts";
import { takeOverDrift } from "./drift.ts";
import type { Session } from "./session.ts";
import { type Advance, NotIdenticalError, NotYetPropagatedError } from "./step.ts";
import { eventOf, steps } from "./steps.ts";

/** Milliseconds between looks at a target that does not accept yet what it took. */
const propagationPoll = 10 * second;

/** Milliseconds an admin credential waits while another target is being changed with it. */
const adminInUseDelay = 30 * second;

/** Opens a rotation: from here on the journal knows of it, and nothing has been done. */
export async function start(session: Session): Promise<void> {
  if (await adminIsInUse(session)) return;
  try {
    await takeOverDrift(session);
  } catch (error) {
    rethrowUnlessExpected(error);
    // A vault or target that cannot be asked now is met again, and accounted for, in the rotation itself.
  }
  const record = session.record();
  const request: RotationRequest = record.request ?? {
    rotationId: session.ports.newId(),
    reason: record.published ? "schedule" : "first",
    requestedBy: "schedule",
    at: session.now(),
  };
  const account = accountToChange(session.target, record);
  const begun = beginRotation(record, account, request, session.now());
  await commitRotation(session, begun.rotation, begun);
  session.emit({
    type: "started",
    rotationId: request.rotationId,
    account,
    reason: request.reason,
  });
}

/** Takes the open rotation as far as it will go now. */
export async function resume(session: Session): Promise<void> {
  for (;;) {
    const { rotation } = session.record();
    if (!rotation || rotation.phase === "blocked") return;
    const { phase } = rotation;
    const began = session.now();
    try {
      const next = await steps[phase](session, rotation);
      await moveOn(session, next);
    } catch (error) {
      await onFailure(session, error);
      return;
    }
    session.emit({
      type: eventOf[phase],
      rotationId: rotation.id,
      account: rotation.account,
      phase,
      duration: between(began, session.now()),
    });
    if (session.record().rotation === undefined) tellSuccess(session, rotation);
  }
}

function tellSuccess(session: Session, rotation: Rotation): void {
  const { published } = session.record();
  session.emit({
    type: "succeeded",
    rotationId: rotation.id,
    account: rotation.account,
    duration: between(rotation.startedAt, session.now()),
    ...(published && { version: published }),
  });
}

async function moveOn(session: Session, { to, learnt = {} }: Advance): Promise<void> {
  const { ports, target } = session;
  const record = session.record();
  const { rotation } = record;
  if (!rotation) return;
  if (to !== "done") {
    const moved = advance(rotation, to, learnt, session.now());
    await commitRotation(session, moved, { ...record, rotation: moved });
    return;
  }
  const rotator = ports.rotator(target.type);
  const canRetire = rotator.retire !== undefined && target.authority.as !== "self";
  const done = succeed(record, rotation, target, canRetire, session.now());
  await session.commit(done, [runOf(rotation, target.id, "done", session.now())]);
}

async function onFailure(session: Session, error: unknown): Promise<void> {
  rethrowUnlessExpected(error);
  const { rotation } = session.record();
  if (!rotation || rotation.phase === "blocked") throw error;
  const failure = failureOf(session, error);
  const judged = judge(rotation, failure.kind, session.target.policy);
  if (judged === "retry") await waitForNextTry(session, rotation, failure, error);
  else if (judged === "skip") await leaveUndone(session, rotation, failure);
  else await end(session, rotation, failure, judged);
}

async function waitForNextTry(
  session: Session,
  rotation: Rotation,
  failure: Failure,
  error: unknown,
): Promise<void> {
  const { target } = session;
  const moved = error instanceof NotIdenticalError ? goBack(session, rotation, error) : rotation;
  // Waiting for propagation is not a failure and uses up no try.
  const waiting =
    error instanceof NotYetPropagatedError
      ? { ...moved, nextAttemptAt: plus(failure.at, propagationPoll) }
      : retryLater(moved, failure, target.policy);
  const record = { ...session.record(), rotation: waiting, lastFailure: failure };
  await session.commit(record, [runOf(waiting, target.id, "running", failure.at, failure)]);
  session.emit({
    ...about(rotation),
    type: "attempt-failed",
    failure,
    nextAttemptAt: waiting.nextAttemptAt,
  });
}

async function leaveUndone(session: Session, rotation: Rotation, failure: Failure): Promise<void> {
  session.emit({ ...about(rotation), type: "attempt-failed", failure, detail: "left undone" });
  await moveOn(session, { to: nextPhase(rotation) });
  if (session.record().rotation === undefined) tellSuccess(session, rotation);
}

async function end(
  session: Session,
  rotation: Rotation,
  failure: Failure,
  how: "failed" | "blocked",
): Promise<void> {
  const { target } = session;
  const ended =
    how === "blocked"
      ? blockRotation(session.record(), rotation, failure)
      : failRotation(session.record(), rotation, failure, target.policy);
  await session.commit(ended, [runOf(rotation, target.id, how, failure.at, failure)]);
  session.emit({ ...about(rotation), type: how, failure });
}

function about({ id, account, phase }: Rotation) {
  return { rotationId: id, account, ...(phase !== "blocked" && { phase }) };
}

/** A rotation that goes back to applying has published nothing that can be relied on. */
function goBack(session: Session, rotation: Rotation, { backTo }: NotIdenticalError): Rotation {
  const { published: _, ...unpublished } = rotation;
  const { failures } = rotation;
  return { ...advance(unpublished, backTo, {}, session.now()), failures };
}

function nextPhase(rotation: Rotation): Advance["to"] {
  const index = workingPhases.findIndex((phase) => phase === rotation.phase);
  return workingPhases[index + 1] ?? "done";
}

async function commitRotation(
  session: Session,
  rotation: Rotation | undefined,
  record = session.record(),
): Promise<void> {
  const runs = rotation ? [runOf(rotation, session.target.id, "running", session.now())] : [];
  await session.commit(record, runs);
}

/** While another target is being changed with this credential, changing it would pull the ladder away. */
async function adminIsInUse(session: Session): Promise<boolean> {
  const { ports, target } = session;
  for (const user of ports.targetsUsing(target.publish)) {
    const found = await ports.journal.read(user.id);
    const phase = found?.record.rotation?.phase;
    if (phase === "applying" || phase === "publishing" || phase === "checking") {
      await session.commit(
        postponed(session.record(), plus(session.now(), adminInUseDelay), user.id),
      );
      return true;
    }
  }
  return false;
}

function postponed(record: TargetRecord, at: Instant, user: string): TargetRecord {
  const { request } = record;
  const dueReason = `waits until ${user} is done with this credential`;
  const late = record.nextDue === undefined || record.nextDue < at;
  return {
    ...record,
    ...(request && { request: { ...request, notBefore: at } }),
    ...(late && (!request || record.nextDue !== undefined) && { nextDue: at, dueReason }),
  };
}

/** Losing the claim or the journal is no failure of the rotation: whoever holds the claim next goes on. */
export function rethrowUnlessExpected(error: unknown): void {
  if (error instanceof LeaseLostError || error instanceof JournalUnavailableError) throw error;
}

export function failureOf(session: Session, error: unknown): Failure {
  const known = isKnownError(error);
  const text = error instanceof Error ? error.message : "something that is no error was thrown";
  const name = error instanceof Error && !known ? `${error.name}: ` : "";
  return {
    kind: known ? error.kind : "bug",
    message: redact(`${name}${text}`, session.secrets()).slice(0, 1_000),
    at: session.now(),
  };
}
