import { deadlines } from "../../core/deadlines.ts";
import { TargetUnavailableError } from "../../core/errors.ts";
import { isRefreshOver, withoutRefresh, withRefreshLater } from "../../core/lifecycle/refresh.ts";
import type { VersionRef } from "../../core/target.ts";
import { toFailure } from "../failure.ts";
import type { TargetSession } from "../session.ts";

/** Refreshes every consumer, even if some fail. Returns the error messages. */
export async function refreshConsumers(
  session: TargetSession,
  rotationId: string,
  published: VersionRef,
): Promise<string[]> {
  const { ports, target } = session;
  const problems: string[] = [];
  if (target.consumers.length > 0) await session.flush();
  for (const name of target.consumers) {
    const refresh = { targetId: target.id, rotationId, published };
    await session.hold();
    try {
      await ports.consumer(name).refresh(refresh, ports.deadline(deadlines.refresh));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : name);
    }
  }
  return problems;
}

/**
 * Notifies the consumers of a version that no rotation has published. If one is away, or the worker dies, they are all notified again,
 * with the same id.
 */
export async function refreshPending(session: TargetSession): Promise<void> {
  const record = session.record();
  const { refresh: pending } = record;
  if (!pending) return;
  if (isRefreshOver(record)) {
    session.stage(withoutRefresh(record));
    return;
  }
  const { rotationId, published } = pending;
  const problems = await refreshConsumers(session, rotationId, published);
  if (problems.length === 0) {
    session.stage(withoutRefresh(session.record()));
    session.emit({ type: "refreshed", version: published });
    return;
  }
  const failure = toFailure(session, new TargetUnavailableError(problems.join(" ")));
  session.stage(withRefreshLater(session.record(), session.target, failure.message, session.now()));
  const nextAttemptAt = session.record().refresh?.at;
  session.emit({
    ...{ type: "attempt-failed", failure, version: published, detail: "refresh the consumers" },
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  });
}
