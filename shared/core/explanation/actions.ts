import { errorGuide } from "../error-guide.ts";
import { decideWork } from "../lifecycle/decide.ts";
import { findGraceHold } from "../lifecycle/grace-hold.ts";
import { findGuessWait } from "../lifecycle/guess-wait.ts";
import { findFreezeHold, findHold } from "../lifecycle/hold.ts";
import { findHoldOfRequest } from "../lifecycle/permit.ts";
import { acceptRequest, isHurried, isJoined } from "../lifecycle/request.ts";
import { describeWaiting } from "../lifecycle/waiting.ts";
import { computeNextDue } from "../policy/due/schedule.ts";
import { toFacts } from "../record/due.ts";
import { describeJustification } from "../record/justification.ts";
import { describePause, findPause } from "../record/pause.ts";
import { type RotationRequest, schedule, type TargetRecord } from "../record/record.ts";
import { withoutSkip } from "../record/rotation.ts";
import type { Instant } from "../time.ts";
import type { Action } from "./action.ts";
import { hasRecovered } from "./because.ts";
import type { NextStep } from "./next.ts";
import { post } from "./post.ts";
import { suggestRecovery } from "./recovery.ts";
import type { Situation } from "./situation.ts";
import type { ReadableState } from "./state.ts";
import { withoutPeriod } from "./words.ts";

export function listActions(
  state: ReadableState,
  situation: Situation,
  next: readonly NextStep[],
): Action[] {
  return [
    ...suggestFix(situation),
    ...suggestRecovery(state, situation),
    ...suggestRequest(state, situation),
    ...suggestForPause(situation),
    ...suggestCancel(situation),
    ...suggestWait(state, situation, next),
  ];
}

function suggestFix(situation: Situation): Action[] {
  const { lastFailure } = situation.record;
  if (!lastFailure || hasRecovered(situation)) return [];
  const { cure } = errorGuide[lastFailure.kind];
  if (cure === undefined) return [];
  return [{ kind: "fix", do: `${cure}.`, why: `${withoutPeriod(lastFailure.message)}.` }];
}

/** Suggests a request if it starts, or continues, a rotation that would not start at once by itself. */
function suggestRequest(state: ReadableState, situation: Situation): Action[] {
  const { target, isClaimed } = situation;
  if (isClaimed || state === "due" || state === "rotating") return [];
  // A request could only say that people must hand over a value.
  if (target.origin === "people") return [];
  if (state === "waiting" && !mayHurry(situation)) return [];
  if (takesEffect(situation)) {
    const [what, why] = chooseTexts(state, situation);
    return [{ kind: "request-rotation", do: what, why, command: post(situation, "rotations") }];
  }
  const isFrozen = findFreezeHold(target.policy, "operator", situation.now) !== undefined;
  if (!isFrozen || !takesEffect(situation, { lift: word(situation.now, "lifts the freezes") }))
    return [];
  const command = post(situation, "rotations", '{"liftFreeze":"the reason, for the history"}');
  const until = situation.waiting?.until;
  const why =
    "An ordinary request would wait for the end of the freeze" +
    (until === undefined ? "." : `, as the rotation does until ${until}.`);
  const what = "Request a rotation that ignores the freeze, if the change cannot wait.";
  return [{ kind: "lift-freeze", do: what, why, command }];
}

const usualRequest = [
  "Request a rotation, to change the password now.",
  "Nothing delays a request: windows do not apply to it, and no freeze is in force.",
] as const;

const afterFix = [
  "Request a rotation after you have fixed the cause, to try at once.",
  "The request ends the wait for the next attempt.",
] as const;

const requestTexts: Readonly<Partial<Record<ReadableState, readonly [string, string]>>> = {
  retrying: afterFix,
  stalled: afterFix,
  failing: afterFix,
  blocked: [
    "Request a rotation after you have fixed the cause.",
    "Keyturn tries the stored passwords of a blocked target again only on request.",
  ],
  waiting: [
    "Request a rotation, if the change cannot wait.",
    "What delays the rotation does not delay a request that a person makes now.",
  ],
  new: [
    "Request a rotation, to have the target adopted and rotated at once.",
    "The request ends the wait for the adoption.",
  ],
};

function chooseTexts(state: ReadableState, { record }: Situation) {
  // Keyturn tries an adoption again by itself, also when the target is blocked.
  if (state === "blocked" && !record.rotation) return afterFix;
  return requestTexts[state] ?? usualRequest;
}

/**
 * Whether a request can end the wait: windows, freezes and graces depend on who wants the rotation, and a request makes Keyturn contact a
 * server that it skips. A busy vault, or an admin secret in use, delays every rotation.
 */
function mayHurry({ record, target, now }: Situation): boolean {
  const { rotation, request, skipped } = record;
  if (skipped && skipped.until > now) return true;
  if (rotation) return findHold(record, rotation, target, now) !== undefined;
  if (request) return findHoldOfRequest(request, record, target, now) !== undefined;
  const bySchedule = { reason: "schedule", requestedBy: schedule } as const;
  const { at } = computeNextDue(target.policy, toFacts(record), now);
  const isDueNow = at !== undefined && at <= now;
  return !isDueNow || findGraceHold(record, bySchedule, target, now) !== undefined;
}

/** For a paused target: to end the pause, or to rotate in spite of it. */
function suggestForPause(situation: Situation): Action[] {
  const { record, now, isClaimed } = situation;
  const pause = findPause(record, now);
  if (!pause) return [];
  const end: Action = {
    kind: "end-pause",
    do: "End the pause, if its reason is gone.",
    why: `The target is ${describePause(pause)}.`,
    command: post(situation, "resume"),
  };
  const force = word(now, "forces the rotation");
  if (isClaimed || !takesEffect(situation, { force })) return [end];
  const what = "Request a rotation that ignores the pause, if the change cannot wait.";
  const why = `An ordinary request would wait for the end of the pause, until ${pause.until}.`;
  const command = post(situation, "rotations", '{"force":"the reason, for the history"}');
  return [end, { kind: "override-pause", do: what, why, command }];
}

function suggestCancel(situation: Situation): Action[] {
  const { dated = [] } = situation.record;
  return dated.map(({ rotationId, notBefore, requestedBy, justification }) => ({
    kind: "cancel-rotation",
    do: `Cancel the scheduled rotation ${rotationId}, if nobody needs it any more.`,
    why: `It is scheduled for ${notBefore} by ${requestedBy}${describeJustification(justification)}.`,
    rotation: rotationId,
    command: post(situation, `rotations/${rotationId}/cancel`),
  }));
}

/** What a person would give as the reason of a request. */
const word = (at: Instant, what: string) => ({ why: `a person ${what}`, by: "a person", at });

/** Whether the rotation of a request made now is not delayed. */
function takesEffect(
  { record, target, now }: Situation,
  lifts: Pick<RotationRequest, "lift" | "force"> = {},
): boolean {
  const asked = {
    rotationId: "requested now",
    reason: "operator",
    requestedBy: "a person",
    at: now,
    ...lifts,
  } as const;
  if (findGuessWait(record, now)) return false;
  const accepted = acceptRequest(withoutSkip(record), asked, target, now);
  const { record: after, rotationId } = accepted;
  const work = decideWork(after, now);
  if (work === "adopt") return decideWork(record, now) !== "adopt";
  if (!["join", "start"].includes(work)) return false;
  const begun = findBegun(after, rotationId, record);
  return begun !== undefined && describeWaiting(after, begun, target, now) === undefined;
}

/**
 * The rotation that the request starts or continues. A request that makes an import or an undo continue, and gets a rotation of its own
 * for this, is not suggested: that would replace the given secret.
 */
function findBegun(
  after: TargetRecord,
  rotationId: string,
  { request, rotation }: TargetRecord,
): string | undefined {
  if (!rotation) return after.request?.rotationId === rotationId ? rotationId : undefined;
  if (isJoined(after)) return rotationId;
  return request && isHurried(after) ? rotation.id : undefined;
}

/** Waiting is an action where Keyturn goes on by itself and a cure may not be needed. */
function suggestWait(
  state: ReadableState,
  { record, isClaimed }: Situation,
  next: readonly NextStep[],
): Action[] {
  const [first] = next;
  const isUseless = state === "healthy" || state === "blocked" || first?.kind === "person";
  if (!first || isUseless) return [];
  const { lastFailure } = record;
  const mayPass = lastFailure === undefined || errorGuide[lastFailure.kind].mayPass;
  if (!mayPass && ["failing", "retrying", "stalled", "resting"].includes(state)) return [];
  if (isClaimed) {
    return [{ kind: "wait", do: "Wait.", why: "A worker is working on the target now." }];
  }
  // A heartbeat or a notification ends no wait.
  const isOther = (kind: NextStep["kind"]) =>
    kind === "notify" || kind === "refresh" || (kind === "check" && record.check === undefined);
  const when = next.find(({ kind, at }) => at !== undefined && !isOther(kind))?.at;
  const why = `Keyturn continues by itself${when === undefined ? "" : ` at ${when}`}.`;
  return [{ kind: "wait", do: "Wait.", why }];
}
