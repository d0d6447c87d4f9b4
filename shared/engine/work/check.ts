import { computeUrgentRetryDelay, isAway } from "../../core/lifecycle/retry.ts";
import type { Failure, TargetRecord } from "../../core/record/rotation.ts";
import { plus } from "../../core/time.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { checkPublished, describeBroken } from "../looks/look.ts";
import { recover } from "../looks/recover.ts";
import type { TargetSession } from "../session.ts";

/**
 * Logs in with the published secret, because there is reason to doubt it, and recovers if the target refuses it. If the vault or
 * the target cannot be reached, or the published secret cannot be read, schedules another check.
 */
export async function check(session: TargetSession): Promise<void> {
  try {
    const published = await checkPublished(session);
    if (published.is === "works") {
      await session.commit(withoutCheck(session.record()));
      session.emit({ type: "checked-published", detail: "the published secret logs in" });
      return;
    }
    const message = describeBroken(session, published);
    const failure: Failure = { kind: "change-refused", message, at: session.now() };
    const due = session.record().check;
    await recover(session, published, failure);
    // Do not overwrite a check that was meanwhile set for another time.
    if (session.record().check?.at === due?.at) await checkAgainLater(session, failure);
  } catch (error) {
    rethrowUnlessExpected(error);
    await checkAgainLater(session, toFailure(session, error));
  }
}

/** Schedules another check, first after seconds: the target may refuse consumers. */
async function checkAgainLater(session: TargetSession, failure: Failure): Promise<void> {
  const record = session.record();
  const { check: due } = record;
  session.emit({ type: "attempt-failed", failure, detail: "check the published secret" });
  if (!due) return;
  const failures = due.failures + 1;
  const { id: seed, policy } = session.target;
  const delay = computeUrgentRetryDelay(policy.retry, failures, `${seed}/check`, isAway(failure));
  const at = plus(failure.at, delay);
  await session.commit({ ...record, lastFailure: failure, check: { ...due, at, failures } });
}

function withoutCheck(record: TargetRecord): TargetRecord {
  const { check: _, ...rest } = record;
  return rest;
}
