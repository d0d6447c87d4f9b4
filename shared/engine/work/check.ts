import { isAway, urgentRetryDelay } from "../../core/lifecycle/retry.ts";
import type { Failure, TargetRecord } from "../../core/record/rotation.ts";
import { plus } from "../../core/time.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { checkPublished, describeBroken } from "../looks/look.ts";
import { recover } from "../looks/recover.ts";
import type { Session } from "../session.ts";

/**
 * Logs in with what consumers read, because there is reason to doubt it, and recovers if the target refuses it. If the vault or
 * the target cannot be asked, or nothing readable is published, the check is made again.
 */
export async function check(session: Session): Promise<void> {
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
    // Unless another moment was set for it.
    if (session.record().check?.at === due?.at) await checkAgainLater(session, failure);
  } catch (error) {
    rethrowUnlessExpected(error);
    await checkAgainLater(session, toFailure(session, error));
  }
}

/** Seconds at first: consumers may be refused. */
async function checkAgainLater(session: Session, failure: Failure): Promise<void> {
  const record = session.record();
  const { check: due } = record;
  session.emit({ type: "attempt-failed", failure, detail: "check of the published secret" });
  if (!due) return;
  const failures = due.failures + 1;
  const { id: seed, policy } = session.target;
  const delay = urgentRetryDelay(policy.retry, failures, `${seed}/check`, isAway(failure));
  const at = plus(failure.at, delay);
  await session.commit({ ...record, lastFailure: failure, check: { ...due, at, failures } });
}

function withoutCheck(record: TargetRecord): TargetRecord {
  const { check: _, ...rest } = record;
  return rest;
}
