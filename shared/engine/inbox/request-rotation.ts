import { ConfigError, KeyReusedError } from "../../core/errors.ts";
import { wakeAt } from "../../core/lifecycle/decide.ts";
import { askedBy, describeStart } from "../../core/lifecycle/permit.ts";
import { type AcceptedRequest, acceptRequest } from "../../core/lifecycle/request.ts";
import { describeWaiting, type Waiting } from "../../core/lifecycle/waiting.ts";
import {
  newRecord,
  type RotationRequest,
  type TargetRecord,
  withoutSkip,
} from "../../core/record/rotation.ts";
import { findLongestGrace, type Target } from "../../core/target.ts";
import { formatDuration, type Instant, toInstant } from "../../core/time.ts";
import type { Versioned } from "../../stores/journal.ts";
import { userOfAdmin, waitForUser } from "../looks/admin-in-use.ts";
import type { Ports } from "../ports.ts";
import { reschedule } from "../work/reschedule.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

export interface RotationInput extends Pick<RotationRequest, "reason" | "requestedBy"> {
  /** Milliseconds that the superseded secret of a pair stays valid, instead of what the target says. */
  readonly grace?: number;
  /** Why the rotation starts although a freeze is in force. */
  readonly liftFreeze?: string;
  /** The same key for the same target leads to the same rotation, for as long as the journal keeps keys. */
  readonly key?: string;
}

/** What a request leads to. */
export interface Requested {
  readonly rotationId: string;
  /** Whether a rotation answers it that was queued or under way already. */
  readonly joined: boolean;
  /** Who asked and what the policy says to that, or what it joins. */
  readonly why: string;
  /** The moment at which the journal has the target due; absent when nothing was written. */
  readonly wakeAt?: Instant;
  /** What the rotation waits for; absent when it starts, or goes on, at once. */
  readonly waiting?: Waiting;
}

type RequestPorts = Pick<Ports, "journal" | "newId" | "pause" | "randomBytes" | "targetsUsing">;

/**
 * Makes a rotation due now. Durable when it returns: whatever dies afterwards, the sweep finds it. The change itself
 * is left to whoever claims the target. Throws LeaseLostError when others write the target again and again.
 */
export async function requestRotation(
  ports: RequestPorts,
  target: Target,
  wanted: RotationInput,
): Promise<Requested> {
  mustKeepGrace(target, wanted);
  return retryOnConflict(
    ports,
    async () =>
      (await knownByKey(ports, target, wanted)) ?? (await commitRequest(ports, target, wanted)),
  );
}

/** The rotation that the idempotency key of this very request has led to. Throws KeyReusedError. */
async function knownByKey(
  { journal }: RequestPorts,
  target: Target,
  wanted: RotationInput,
): Promise<Requested | undefined> {
  const known = wanted.key === undefined ? undefined : await journal.request(target.id, wanted.key);
  if (!known) return undefined;
  if (known.asked !== askedFor(wanted)) {
    throw new KeyReusedError(`This Idempotency-Key was used for another request to ${target.id}`);
  }
  const { rotationId } = known;
  const found = await journal.read(target.id);
  const waiting =
    found && describeWaiting(found.record, rotationId, target, toInstant(journal.now()));
  const why = `this Idempotency-Key has led to rotation ${rotationId}`;
  return { rotationId, joined: true, why, ...(waiting && { waiting }) };
}

function askedFor({ reason, grace, liftFreeze }: RotationInput): string {
  const parts = [
    reason,
    ...(grace === undefined ? [] : [`grace ${grace} ms`]),
    ...(liftFreeze === undefined ? [] : [`freezes lifted: ${liftFreeze}`]),
  ];
  return parts.join(", ");
}

/** What cannot be kept must not be promised. */
function mustKeepGrace({ id, slots, authority, policy }: Target, { grace }: RotationInput): void {
  if (grace === undefined) return;
  if (slots.length < 2) {
    throw new ConfigError(
      `grace has no meaning: target ${id} has one account, whose old password ends with the change; leave grace out`,
    );
  }
  if (authority.as === "self") {
    throw new ConfigError(
      `grace cannot be kept: the accounts of target ${id} change themselves, so nobody can end an old password before its turn; leave grace out`,
    );
  }
  const longest = findLongestGrace(policy);
  if (grace <= longest) return;
  throw new ConfigError(
    `grace must be at most ${formatDuration(longest)}, which is the policy's every: a pair needs both accounts by then`,
  );
}

async function commitRequest(
  ports: RequestPorts,
  target: Target,
  wanted: RotationInput,
): Promise<Requested> {
  const { journal, newId } = ports;
  const found = await journal.read(target.id);
  const now = toInstant(journal.now());
  const before = found?.record ?? reschedule(newRecord(target.id), target, now);
  const request = toRequest(wanted, newId(), now);
  const accepted = acceptRequest(withoutSkip(before), request, target, now);
  const due = await commitNews(ports, accepted, { found, wanted, now });
  const { rotationId, record } = accepted;
  const joined = rotationId !== request.rotationId;
  const why = joined
    ? whatItJoins(before, rotationId)
    : describeStart(request, record, target, now).why;
  const waiting =
    describeWaiting(record, rotationId, target, now) ??
    (await adminWait(ports, target, record, now));
  return {
    ...{ rotationId, joined, why },
    ...(due !== undefined && { wakeAt: due }),
    ...(waiting && { waiting }),
  };
}

function toRequest(
  { reason, requestedBy, grace, liftFreeze }: RotationInput,
  rotationId: string,
  at: Instant,
): RotationRequest {
  return {
    rotationId,
    reason,
    requestedBy,
    at,
    ...(grace !== undefined && { grace }),
    ...(liftFreeze !== undefined && { lift: { why: liftFreeze, by: requestedBy, at } }),
  };
}

interface Before {
  readonly found: Versioned | undefined;
  readonly wanted: RotationInput;
  readonly now: Instant;
}

/**
 * What has been read is durable: a request that adds nothing to it is not written, unless its key must be remembered. Returns when
 * the target is due.
 */
async function commitNews(
  { journal }: RequestPorts,
  { record, rotationId, run }: AcceptedRequest,
  { found, wanted, now }: Before,
): Promise<Instant | undefined> {
  const { key } = wanted;
  if (record === found?.record && key === undefined) return undefined;
  const due = wakeAt(record, now);
  await journal.commit({
    record,
    etag: found?.etag,
    wakeAt: due,
    ...(run && { runs: [run] }),
    ...(key !== undefined && { request: { key, rotationId, asked: askedFor(wanted) } }),
  });
  return due;
}

/** `before` as it was when the request came. */
function whatItJoins({ rotation, request }: TargetRecord, rotationId: string): string {
  const joins = `joins rotation ${rotationId}`;
  if (rotation?.id === rotationId) {
    return rotation.phase === "blocked"
      ? `${joins}, which was blocked and is tried again`
      : `${joins}, which is under way (phase ${rotation.phase})`;
  }
  return request ? `${joins}, which is queued. ${askedBy(request)}` : joins;
}

/** A rotation of its own that could start now does not while its secret is in use to change another target. */
async function adminWait(
  ports: RequestPorts,
  target: Target,
  { rotation, request }: TargetRecord,
  now: Instant,
): Promise<Waiting | undefined> {
  if (rotation || !request) return undefined;
  const user = await userOfAdmin(ports, target);
  return user === undefined ? undefined : waitForUser(user, now);
}
