import { computeSpread } from "../policy/due/placement.ts";
import type { Policy } from "../policy/policy.ts";
import { type TargetRecord } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";
import type { Target } from "../target.ts";
import { between, type Instant, minute, plus, toInstantAt } from "../time.ts";
import { retryDelay } from "./retry.ts";

/** The fraction of the interval that is certainly between two heartbeats. */
const least = 1 / 2;

/** How far, as a fraction of its distance to the moment of the target, an extra heartbeat moves towards that moment. */
const approach = 0.9;

/**
 * When the published secret is checked next, after a proof at `provenAt`. Each target has its own moment in each interval, which depends
 * on a hash of its id, so that a fleet is spread evenly. A heartbeat comes at least half an interval after the proof, and at most a whole
 * one. If the moment of the target comes sooner than that, one extra heartbeat leads up to the moment after it.
 */
export function findNextHeartbeat(targetId: string, every: number, provenAt: Instant): Instant {
  const from = Date.parse(provenAt);
  const place = Math.floor(computeSpread(targetId) * every);
  const since = (((from - place) % every) + every) % every;
  const distance = every - since;
  const isSoon = distance < every * least;
  return toInstantAt(Math.floor(from + (isSoon ? every * least + distance * approach : distance)));
}

/** When the next heartbeat is due. Undefined when none is: something else checks the secret, or no secret is known to work. */
export function findHeartbeat(record: TargetRecord): Instant | undefined {
  const { health, adoptedAt, published, check, rotation, heartbeat } = record;
  const isKnown = health === "healthy" && adoptedAt !== undefined && published !== undefined;
  const isCheckedAnyway =
    check !== undefined || (rotation !== undefined && mayHaveChanged(rotation));
  return isKnown && !isCheckedAnyway ? heartbeat?.at : undefined;
}

/** Whether only a heartbeat is due at the moment for which the target is woken. It needs no room in a vault, and changes nothing. */
export function isOnlyHeartbeat(record: TargetRecord, wakeAt: Instant): boolean {
  const { claim, nextDue, request, given, rotation } = record;
  const isFree = [claim.owner, request, given, rotation].every((one) => one === undefined);
  const starts = [nextDue, record.dated?.[0]?.notBefore];
  const isFirst = starts.every((at) => at === undefined || at > wakeAt);
  return isFree && isFirst && findHeartbeat(record) === wakeAt;
}

/** The record after a log-in with the published secret: the next heartbeat counts from it. */
export function withVerified(
  record: TargetRecord,
  target: Pick<Target, "id" | "policy">,
  at: Instant,
): TargetRecord {
  return withHeartbeat({ ...record, verifiedAt: at }, target, at);
}

/**
 * The record with the next heartbeat of its policy. A secret that was proven long ago is checked within half an interval, so that a fleet
 * whose policy is edited is spread too.
 */
export function withHeartbeat(
  record: TargetRecord,
  { id, policy }: Pick<Target, "id" | "policy">,
  now: Instant,
): TargetRecord {
  const { heartbeat: _, ...rest } = record;
  const every = getInterval(policy);
  const provenAt = record.verifiedAt ?? record.adoptedAt;
  if (every === undefined || provenAt === undefined) return rest;
  const earliest = plus(now, -every * least);
  const from = provenAt > earliest ? provenAt : earliest;
  return { ...rest, heartbeat: { at: findNextHeartbeat(id, every, from), failures: 0 } };
}

/**
 * The record after a heartbeat that could not be made. The distance to the next try grows as the policy says, from a minute up to the
 * interval of heartbeats. `notBefore`: no log-in is allowed until then.
 */
export function withHeartbeatLater(
  record: TargetRecord,
  { id, policy }: Pick<Target, "id" | "policy">,
  { now, notBefore = now }: { readonly now: Instant; readonly notBefore?: Instant | undefined },
): TargetRecord {
  const every = getInterval(policy);
  if (every === undefined) return withHeartbeat(record, { id, policy }, now);
  const failures = (record.heartbeat?.failures ?? 0) + 1;
  const delay = Math.max(minute, retryDelay(policy.retry, failures, `${id}/heartbeat`));
  const soonest = plus(now, Math.min(delay, every));
  const at = between(soonest, notBefore) > 0 ? notBefore : soonest;
  return { ...record, heartbeat: { at, failures } };
}

const getInterval = ({ verifyEvery = "none" }: Policy): number | undefined =>
  verifyEvery === "none" ? undefined : verifyEvery;
