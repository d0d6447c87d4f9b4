import { withHeartbeatLater } from "../../core/lifecycle/heartbeat.ts";
import { computeUrgentRetryDelay, isAway } from "../../core/lifecycle/retry.ts";
import { withEndReported } from "../../core/lifecycle/secret-end.ts";
import type { CheckRequest, Failure, TargetRecord } from "../../core/record/record.ts";
import { isSameVersion } from "../../core/target.ts";
import { plus } from "../../core/time.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { checkPublished, describeBroken } from "../looks/look.ts";
import { recover } from "../looks/recover.ts";
import { noteEnd } from "../looks/secret-end.ts";
import type { TargetSession } from "../session.ts";

/**
 * Logs in with the published secret, because there is reason to doubt it or a heartbeat is due, and recovers if the target refuses it. If the vault or
 * the target cannot be reached, or the published secret cannot be read, schedules another check.
 */
export async function check(session: TargetSession): Promise<void> {
  const { check: due, published: before } = session.record();
  try {
    const published = await checkPublished(session);
    if (published.is === "works") {
      await noteEnd(session, published.live);
      session.stage(withEndReported(session.record(), session.target, session.now()));
      if (due) await session.commit(withoutCheck(session.record()));
      const detail = `${due ? "" : "heartbeat: "}the published secret logs in`;
      session.emit({ type: "checked-published", detail });
      return;
    }
    const message = describeBroken(session, published);
    const failure: Failure = { kind: "change-refused", message, at: session.now() };
    await recover(session, published, failure);
    const { check, published: after } = session.record();
    // Do not overwrite a check that was meanwhile set for another time.
    if (check?.at !== due?.at) return;
    // A heartbeat guesses once. Only a secret that was published instead, or one that could not be read, is checked again.
    if (due || published.is !== "refused" || !isSameVersion(before, after)) {
      await checkAgainLater(session, failure, due);
    }
  } catch (error) {
    rethrowUnlessExpected(error);
    if (due) await checkAgainLater(session, toFailure(session, error), due);
    else beatLater(session, error);
  }
}

/** Postpones the heartbeat: nothing is known to be wrong, so the target keeps its health and goes before no other. */
function beatLater(session: TargetSession, error: unknown): void {
  const failure = toFailure(session, error);
  const notBefore = error instanceof GuessPauseError ? error.until : undefined;
  const when = { now: failure.at, notBefore };
  session.stage(withHeartbeatLater(session.record(), session.target, when));
  const nextAttemptAt = session.record().heartbeat?.at;
  session.emit({
    ...{ type: "attempt-failed", failure, detail: "heartbeat" },
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  });
}

const noRequest: CheckRequest = { at: "", why: "the heartbeat found a broken secret", failures: 0 };

/** Schedules another check, first after seconds: the target may refuse consumers. */
async function checkAgainLater(
  session: TargetSession,
  failure: Failure,
  due: CheckRequest = noRequest,
): Promise<void> {
  const record = session.record();
  session.emit({ type: "attempt-failed", failure, detail: "check the published secret" });
  const failures = due.failures + 1;
  const { id: seed, policy, origin } = session.target;
  const delay = computeUrgentRetryDelay(policy.retry, failures, `${seed}/check`, isAway(failure));
  const soonest = plus(failure.at, delay);
  // Each try is a refused log-in at the system, and only people can end it.
  const isLeft = origin === "people" && !isAway(failure);
  const remindAt = isLeft ? (record.awaited?.remindAt ?? "") : "";
  const at = remindAt > soonest ? remindAt : soonest;
  await session.commit({ ...record, lastFailure: failure, check: { ...due, at, failures } });
}

function withoutCheck(record: TargetRecord): TargetRecord {
  const { check: _, ...rest } = record;
  return rest;
}
