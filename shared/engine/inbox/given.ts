import { KeyReusedError } from "../../core/errors.ts";
import { boundEntry, type LedgerEntry } from "../../core/ledger/entry.ts";
import { findWakeTime, isClaimed } from "../../core/lifecycle/decide.ts";
import { findObstacle, type Queued, queueGiven, type Refused } from "../../core/lifecycle/given.ts";
import { describeWaiting } from "../../core/lifecycle/waiting.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import type { Justification } from "../../core/record/justification.ts";
import type { TargetRecord } from "../../core/record/record.ts";
import { withoutSkip } from "../../core/record/rotation.ts";
import type { Target, VersionRef } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import type { Versioned } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";
import { type Busy, retryWhileBusy } from "../work/busy.ts";
import { readForCaller } from "./read-for-caller.ts";
import { findAnswer, keyReused, rememberAnswer, type RequestKey } from "./request-key.ts";
import type { Requested } from "./request-rotation.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";
import { toRequest } from "./to-request.ts";

/** What imports and undos have in common. */
export interface GivenInput {
  readonly requestedBy: string;
  readonly justification?: Justification;
  /** Why the rotation starts although a freeze is in force. */
  readonly liftFreeze?: string;
  /** Why the rotation starts although the target is paused. */
  readonly force?: string;
  readonly key?: RequestKey;
}

export interface RequestedGiven extends Requested {
  readonly account: string;
}

export type GivenResult = RequestedGiven | Refused | Busy;

/** The target as it was read, before anything is written to it. */
export interface Before {
  readonly record: TargetRecord;
  readonly found: Versioned | undefined;
  readonly rotationId: string;
  readonly now: Instant;
}

/** What is special to an import or an undo. */
export interface Giving {
  readonly by: GivenSecret["by"];
  /** Finds, or stores, the secret. Throws ConfigError for a secret that cannot be used. */
  readonly prepare: (before: Before) => Promise<GivenSecret | Refused | Busy>;
  /** Whether a repeated request has the same secret as the first, whose rotation and version are given. */
  readonly isSame: (rotationId: string, ref: VersionRef) => Promise<boolean>;
}

/**
 * Queues the rotation of an import or an undo. It is not queued while a worker holds the target, so that no worker can be in the middle
 * of a decision that it contradicts. Durable when it returns.
 */
export function requestGiven(
  ports: Ports,
  target: Target,
  input: GivenInput,
  giving: Giving,
): Promise<GivenResult> {
  const attempt = () => retryOnConflict(ports, () => tryToQueue(ports, target, input, giving));
  return retryWhileBusy(ports, attempt, (result) => "busy" in result);
}

async function tryToQueue(
  ports: Ports,
  target: Target,
  input: GivenInput,
  giving: Giving,
): Promise<GivenResult> {
  const { journal } = ports;
  const { found, before: record, now } = await readForCaller(journal, target);
  // After the record: an equal request that is written in between makes the commit fail.
  const known = await findByKey(ports, target, input, giving);
  if (known) return known;
  const obstacle = findObstacle(record, target, now);
  if (obstacle) return obstacle;
  if (isClaimed(record, now)) return busyWith(target);
  const rotationId = ports.newId();
  const secret = await giving.prepare({ record, found, rotationId, now });
  if ("refused" in secret || "busy" in secret) return secret;
  const made = { rotationId, reason: secret.by, at: now };
  const request = { ...toRequest(input, made, record), secret };
  const queued = queueGiven(withoutSkip(record), request, target, now);
  const wakeAt = findWakeTime(queued.record, now);
  const answer: RequestedGiven = {
    ...describeQueued(queued.record, rotationId, target, now),
    ...{ joined: false, why: queued.run.why, account: secret.account },
  };
  await journal.commit({
    record: queued.record,
    etag: found?.etag,
    wakeAt,
    runs: [queued.run],
    entries: [toEntry(queued, ports.newId(), now)],
    ...rememberAnswer(input.key, { answer, ref: secret.ref } satisfies Remembered),
  });
  return { ...answer, ...(wakeAt !== undefined && { wakeAt }) };
}

function toEntry({ record, run }: Queued, id: string, at: Instant): LedgerEntry {
  const { rotationId, requestedBy: by, reason: cause, why, account, justification } = run;
  return boundEntry({
    ...{ id, at, by, action: "rotation.request", outcome: "accepted", cause, ...justification },
    ...{ targets: [record.targetId], rotations: [rotationId] },
    detail: `account ${account ?? ""}; ${why}`,
  });
}

const busyWith = ({ id }: Target): Busy => ({
  busy: `A worker is working on target ${id}. Nothing was recorded. Try again.`,
});

/** What the journal keeps with an idempotency key. */
interface Remembered {
  readonly answer: RequestedGiven;
  readonly ref: VersionRef;
}

/** Finds the answer to an earlier request with the same idempotency key. Throws KeyReusedError. */
async function findByKey(
  { journal }: Ports,
  target: Target,
  { key }: GivenInput,
  giving: Giving,
): Promise<RequestedGiven | undefined> {
  const known = await findAnswer<Remembered>(journal, target.id, key);
  if (!known) return undefined;
  const { answer, ref } = known;
  if (await giving.isSame(answer.rotationId, ref)) return answer;
  throw new KeyReusedError(keyReused);
}

function describeQueued(record: TargetRecord, rotationId: string, target: Target, now: Instant) {
  const waiting = describeWaiting(record, rotationId, target, now);
  return { rotationId, ...(waiting && { waiting }) };
}
