import type { RunRecord } from "../record/history.ts";
import type { Instant } from "../time.ts";
import { type LedgerOutcome } from "./actions.ts";
import { boundEntry, type LedgerEntry } from "./entry.ts";

const outcomes: Partial<Record<RunRecord["state"], LedgerOutcome>> = {
  done: "succeeded",
  failed: "failed",
  blocked: "blocked",
};

/** The entry of a rotation that has ended or is blocked. Undefined for one that continues. */
export function findRunEntry(
  run: RunRecord,
  newId: () => string,
  now: Instant,
): LedgerEntry | undefined {
  const outcome = outcomes[run.state];
  if (!outcome) return undefined;
  const { targetId, rotationId, requestedBy, reason: cause, endedAt = now } = run;
  const { reason, ticket } = run.justification ?? {};
  return boundEntry({
    ...{
      id: newId(),
      at: endedAt,
      by: requestedBy,
      action: "rotation.end",
      outcome,
      cause,
      reason,
      ticket,
    },
    targets: [targetId],
    rotations: [rotationId],
    detail: describeEnd(run),
  });
}

function describeEnd({ account, published, failure }: RunRecord): string | undefined {
  const parts = [
    account === undefined ? undefined : `account ${account}`,
    published && `published ${published.name} version ${published.version}`,
    failure && `${failure.kind}: ${failure.message}`,
  ];
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join("; ");
}
