import {
  awaitValue,
  describeAwaited,
  type Wanted,
  withoutAwaited,
} from "../../core/lifecycle/awaited.ts";
import { findHeartbeat } from "../../core/lifecycle/heartbeat.ts";
import { describeStart, type StartDecision } from "../../core/lifecycle/permit.ts";
import { withCheck } from "../../core/record/check.ts";
import type { RunRecord } from "../../core/record/history.ts";
import type { RotationRequest, TargetRecord } from "../../core/record/record.ts";
import { newRun, pickGiven } from "../../core/record/rotation.ts";
import { day, type Instant, plus } from "../../core/time.ts";
import type { TargetSession } from "../session.ts";

/**
 * What a worker does instead of a rotation where people hand over the values: it reminds them. A request is answered at once: its run has
 * failed, and is not repeated.
 */
export async function awaitNewValue(
  session: TargetSession,
  record: TargetRecord,
  { intent, why }: Begun,
): Promise<void> {
  const { request, again: _, ...rest } = record;
  // A person who wants a rotation has the answer in its run. Everything else reminds people until they hand over a value.
  const wanted = intent.reason === "operator" ? undefined : { reason: intent.reason, why };
  const runs = request ? [failedRun(session, request, record)] : [];
  await commitAwaited(session, rest, wanted, runs);
}

type Begun = Extract<StartDecision, { readonly intent: unknown }>;

/** Reminds people of a value that they have not handed over yet. */
export async function remind(session: TargetSession): Promise<void> {
  const record = session.record();
  // The type of the target may have been edited.
  if (session.target.origin === "people") await commitAwaited(session, record, undefined, []);
  else session.stage(withoutAwaited(record));
}

async function commitAwaited(
  session: TargetSession,
  record: TargetRecord,
  wanted: Wanted | undefined,
  runs: readonly RunRecord[],
): Promise<void> {
  const { target } = session;
  const now = session.now();
  const next = withLookPlanned(awaitValue(record, target, wanted, now), now);
  await session.commit(next, runs);
  if (next.outbox === record.outbox) return;
  session.emit({ type: "value-due", detail: describeAwaited(target) });
}

/** A value that nothing else checks may become valid, or be replaced in the vault: the check continues until one logs in. */
function withLookPlanned(record: TargetRecord, now: Instant): TargetRecord {
  const { awaited, check, rotation } = record;
  const isPlanned = [check, rotation, findHeartbeat(record)].some((one) => one !== undefined);
  const isWell = awaited === undefined && record.health === "healthy" && record.published;
  if (isPlanned || isWell) return record;
  return withCheck(record, "people may publish a new value", awaited?.remindAt ?? plus(now, day));
}

function failedRun(
  { target, ...session }: TargetSession,
  request: RotationRequest,
  record: TargetRecord,
): RunRecord {
  const at = session.now();
  return newRun({
    rotationId: request.rotationId,
    targetId: target.id,
    state: "failed",
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: request.at,
    ...describeStart(request, record, target, at),
    endedAt: at,
    phases: [],
    ...pickGiven(request),
    failure: { kind: "change-refused", message: describeAwaited(target), at },
  });
}
