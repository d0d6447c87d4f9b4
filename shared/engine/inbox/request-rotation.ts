import { ConfigError } from "../../core/errors.ts";
import { boundEntry, type LedgerEntry } from "../../core/ledger/entry.ts";
import { acceptDated } from "../../core/lifecycle/dated.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { acceptExposure } from "../../core/lifecycle/exposure.ts";
import { describeRequester, describeStart } from "../../core/lifecycle/permit.ts";
import { type AcceptedRequest, acceptRequest } from "../../core/lifecycle/request.ts";
import { describeWaiting, type Waiting } from "../../core/lifecycle/waiting.ts";
import { withExposedSecret } from "../../core/record/exposed-versions.ts";
import type { Justification } from "../../core/record/justification.ts";
import {
  type Exposure,
  type RotationRequest,
  type TargetRecord,
} from "../../core/record/record.ts";
import { withoutSkip } from "../../core/record/rotation.ts";
import { endsSuperseded, findMaxGrace, hasGrace, type Target } from "../../core/target.ts";
import { formatDuration, type Instant } from "../../core/time.ts";
import type { Versioned } from "../../stores/journal.ts";
import { findAdminUser, waitForUser } from "../looks/admin-in-use.ts";
import type { Ports } from "../ports.ts";
import { readForCaller } from "./read-for-caller.ts";
import { findAnswer, rememberAnswer, type RequestKey } from "./request-key.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";
import { toRequest } from "./to-request.ts";

export interface RotationInput extends Pick<RotationRequest, "reason" | "requestedBy"> {
  readonly justification?: Justification;
  /** Milliseconds for which the superseded secret stays valid. Overrides the target's grace. */
  readonly grace?: number;
  /** The rotation does not start before this moment. In the past: now. */
  readonly notBefore?: Instant;
  /** Why the rotation starts although a freeze is in force. */
  readonly liftFreeze?: string;
  /** Why the rotation starts although the target is paused. */
  readonly force?: string;
  /** A report that somebody saw the secret, which is written together with the request. */
  readonly seen?: Omit<Exposure, "at">;
  readonly key?: RequestKey;
}

/** The result of a request. */
export interface Requested {
  readonly rotationId: string;
  /** Whether a rotation that was queued or under way already answers the request. */
  readonly joined: boolean;
  /** Who requested the rotation and what the policy allows, or which rotation the request joins. */
  readonly why: string;
  /** When the target is due according to the journal. Absent when nothing was written. */
  readonly wakeAt?: Instant;
  /** What the rotation waits for. Absent when it starts, or continues, at once. */
  readonly waiting?: Waiting;
}

type RequestPorts = Pick<Ports, "journal" | "newId" | "pause" | "randomBytes" | "targetsUsing">;

/**
 * Makes a rotation due now. The request is durable when the function returns: the sweep finds it even after a crash. The worker that
 * claims the target makes the change. Throws ConfigError, KeyReusedError, and LeaseLostError when other writers win the race too many times.
 */
export async function requestRotation(
  ports: RequestPorts,
  target: Target,
  wanted: RotationInput,
): Promise<Requested> {
  return retryOnConflict(ports, () => commitRequest(ports, target, wanted));
}

/** Rejects a grace that Keyturn cannot keep. */
function mustKeepGrace(target: Target, { grace }: RotationInput): void {
  if (grace === undefined) return;
  const { id, policy } = target;
  if (!hasGrace(target)) {
    throw new ConfigError(
      `\`grace\` has no effect on target ${id}: with one account, the old password stops working at the change. Remove \`grace\``,
    );
  }
  if (!endsSuperseded(target)) {
    throw new ConfigError(
      `\`grace\` has no effect on target ${id}: its accounts change their own passwords, so Keyturn cannot end the old one early. Remove \`grace\``,
    );
  }
  const maxGraceMs = findMaxGrace(policy);
  if (grace <= maxGraceMs) return;
  throw new ConfigError(
    `grace must be at most ${formatDuration(maxGraceMs)} (every of the policy), because the next rotation ends the old password earlier`,
  );
}

async function commitRequest(
  ports: RequestPorts,
  target: Target,
  wanted: RotationInput,
): Promise<Requested> {
  const { journal, newId } = ports;
  const { found, before: read, now } = await readForCaller(journal, target);
  // After the record: an equal request that is written in between makes the commit fail.
  const known = await findAnswer<Requested>(journal, target.id, wanted.key);
  if (known) return known;
  mustKeepGrace(target, wanted);
  const { seen } = wanted;
  const before = seen ? acceptExposure(read, target, { ...seen, at: now }, now).record : read;
  const { reason, grace } = wanted;
  const request = {
    ...toRequest(wanted, { rotationId: newId(), reason, at: now }, before),
    ...(grace !== undefined && { grace }),
  };
  const accepted = accept(before, request, wanted, { target, now });
  const { rotationId, record } = accepted;
  const joined = rotationId !== request.rotationId;
  const why =
    (joined
      ? whatItJoins(before, rotationId)
      : (accepted.run?.why ?? describeStart(request, record, target, now).why)) +
    whatItHurries(before, record);
  const entry = toEntry(accepted, { wanted, joined, why, id: newId(), at: now });
  const waiting =
    describeWaiting(record, rotationId, target, now) ??
    (await adminWait(ports, target, record, now));
  const answer = { rotationId, joined, why, ...(waiting && { waiting }) };
  const remembered = rememberAnswer(wanted.key, answer);
  const due = await commitNews(ports, accepted, { found, remembered, now, entry });
  return { ...answer, ...(due !== undefined && { wakeAt: due }) };
}

function accept(
  record: TargetRecord,
  request: RotationRequest,
  { notBefore }: RotationInput,
  { target, now }: { readonly target: Target; readonly now: Instant },
): AcceptedRequest {
  if (notBefore !== undefined && notBefore > now) {
    return acceptDated(record, { ...request, notBefore }, target, now);
  }
  return acceptRequest(withoutSkip(withExposedSecret(record, request)), request, target, now);
}

function toEntry(
  { rotationId, record: { targetId } }: AcceptedRequest,
  { wanted, joined, why, ...made }: Pick<LedgerEntry, "id" | "at"> & Asking,
): LedgerEntry {
  const { requestedBy: by, reason: cause, grace, liftFreeze, force, justification = {} } = wanted;
  const { reason, ticket } = justification;
  const parts = [
    grace === undefined ? undefined : `grace ${formatDuration(grace)}`,
    // The grounds of a new rotation name them by themselves.
    !joined || liftFreeze === undefined ? undefined : `freezes lifted (${liftFreeze})`,
    !joined || force === undefined ? undefined : `pause overridden (${force})`,
    why,
  ];
  return boundEntry({
    ...{ ...made, by, action: "rotation.request", outcome: "accepted", cause, reason, ticket },
    ...{ targets: [targetId], rotations: [rotationId] },
    detail: parts.filter((part) => part !== undefined).join("; "),
  });
}

interface Asking extends Pick<Requested, "joined" | "why"> {
  readonly wanted: RotationInput;
}

interface Before {
  readonly found: Versioned | undefined;
  readonly remembered: ReturnType<typeof rememberAnswer>;
  readonly now: Instant;
  readonly entry: LedgerEntry;
}

/**
 * Writes the request, unless it changes nothing in the record that was read and has no key to remember. Returns when the target is
 * due.
 */
async function commitNews(
  { journal }: RequestPorts,
  { record, run }: AcceptedRequest,
  { found, remembered, now, entry }: Before,
): Promise<Instant | undefined> {
  if (record === found?.record && !remembered.request) return undefined;
  const due = findWakeTime(record, now);
  await journal.commit({
    record,
    etag: found?.etag,
    wakeAt: due,
    ...(run && { runs: [run] }),
    entries: [entry],
    ...remembered,
  });
  return due;
}

/** Describes what a request joins, from the record as it was when the request came. */
function whatItJoins({ rotation, request }: TargetRecord, rotationId: string): string {
  const joins = `joins rotation ${rotationId}`;
  if (rotation?.id === rotationId) {
    return rotation.phase === "blocked"
      ? `${joins}, which was blocked and will be retried`
      : `${joins}, which is under way (phase ${rotation.phase})`;
  }
  return request ? `${joins}, which is queued. ${describeRequester(request)}` : joins;
}

/** Names the open rotation that the request makes continue although another one answers the request. */
function whatItHurries({ rotation }: TargetRecord, { request }: TargetRecord): string {
  if (!rotation || request?.hurries !== rotation.id) return "";
  return rotation.phase === "blocked"
    ? `; rotation ${rotation.id}, which was blocked, is retried first`
    : `; rotation ${rotation.id}, which waited, continues first`;
}

/** Returns what the rotation of an admin waits for: it does not start while its secret is used to change another target. */
async function adminWait(
  ports: RequestPorts,
  target: Target,
  { rotation, request }: TargetRecord,
  now: Instant,
): Promise<Waiting | undefined> {
  if (rotation || !request) return undefined;
  const user = await findAdminUser(ports, target);
  return user === undefined ? undefined : waitForUser(user, now);
}
