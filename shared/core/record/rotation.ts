import type { Instant } from "../time.ts";
import { type RunRecord } from "./history.ts";
import {
  keyturn,
  type PhaseTime,
  recordSchema,
  type Rotation,
  type RotationRequest,
  schedule,
  type TargetRecord,
} from "./record.ts";

/** How many phases a rotation remembers, because it can go back and forth between phases for days. */
const maxPhases = 20;

/** Whether a person or a program requested the rotation, and neither the policy nor Keyturn itself. */
export function isRequestOfPerson({ requestedBy }: Pick<RotationRequest, "requestedBy">): boolean {
  return requestedBy !== schedule && requestedBy !== keyturn;
}

type Given = Pick<RotationRequest, "lift" | "force" | "justification">;
type MaybeGiven = { readonly [Field in keyof Given]: Given[Field] | undefined };

/** What people gave with their requests: who lets it start in spite of freezes and of a pause, and the reason and the ticket. */
export function pickGiven({ lift, force, justification }: MaybeGiven): Given {
  return {
    ...(lift && { lift }),
    ...(force && { force }),
    ...(justification && { justification }),
  };
}

/** The latest phases, with one more. The first publication stays: it decides which reports the rotation answers. */
export function withPhase(phases: readonly PhaseTime[], added: PhaseTime): readonly PhaseTime[] {
  const all = [...phases, added];
  const first = findPublication(all);
  const dropped = all.length > maxPhases ? all.findIndex((one) => one !== first) : -1;
  return all.filter((_, index) => index !== dropped);
}

/** When the rotation first began to publish: from then on its secret may be public, whatever the journal knows. */
export function findPublicAt({ phases }: Pick<Rotation, "phases">): Instant | undefined {
  return findPublication(phases)?.startedAt;
}

function findPublication(phases: readonly PhaseTime[]): PhaseTime | undefined {
  return phases.find(({ phase }) => phase === "publishing");
}

/** Whether the rotation may have published the version. Until the journal has its version, it may have published any. */
export function mayHavePublished(rotation: Rotation | undefined, version: string): boolean {
  if (!rotation) return false;
  const { published } = rotation;
  return published ? published.version === version : findPublicAt(rotation) !== undefined;
}

/** Whether the account may have a secret other than before the rotation. Then only a certain outcome stops the rotation. */
export function mayHaveChanged({ changeBegan, outcomeInDoubt }: Rotation): boolean {
  return changeBegan || outcomeInDoubt === true;
}

/** The record without a postponement by `skipped`. */
export function withoutSkip(record: TargetRecord): TargetRecord {
  if (record.skipped === undefined) return record;
  const { skipped: _, ...rest } = record;
  return rest;
}

/** The record whose open rotation is no longer on hold, so that the next worker evaluates windows and freezes again. */
export function withoutRotationHold(record: TargetRecord): TargetRecord {
  const { rotation } = record;
  return rotation?.heldBy === undefined ? record : { ...record, rotation: withoutHold(rotation) };
}

/** The rotation without a time and a reason to wait. */
export function withoutHold(rotation: Rotation): Rotation {
  const { nextAttemptAt: _n, heldBy: _h, throttledSince: _t, ...free } = rotation;
  return free;
}

/** The request without a time and a reason to wait. */
function withoutRequestHold<Request extends RotationRequest>(
  request: Request,
): Omit<Request, "notBefore" | "heldBy"> {
  const { notBefore: _n, heldBy: _h, ...free } = request;
  return free;
}

/** The record whose request, import or undo is no longer on hold. The same object when none is. */
export function withoutRequestHolds(record: TargetRecord): TargetRecord {
  const { request, given } = record;
  if (request?.heldBy === undefined && given?.heldBy === undefined) return record;
  return {
    ...record,
    ...(request && { request: withoutRequestHold(request) }),
    ...(given && { given: withoutRequestHold(given) }),
  };
}

export function newRecord(targetId: string): TargetRecord {
  return {
    schema: recordSchema,
    targetId,
    health: "new",
    slots: [],
    failures: 0,
    outbox: [],
    claim: { fence: 0 },
  };
}

/** A row of the history as this version stores it. */
export function newRun(fields: Omit<RunRecord, "schema">): RunRecord {
  return { schema: recordSchema, ...fields };
}
