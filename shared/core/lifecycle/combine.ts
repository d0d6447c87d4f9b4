import { isSameJustification, type Justification } from "../record/justification.ts";
import { findLaterForce } from "../record/pause.ts";
import {
  type QueuedRequest,
  type Rotation,
  type RotationRequest,
  schedule,
  type TargetRecord,
} from "../record/record.ts";
import { isRequestOfPerson, pickGiven, withoutHold } from "../record/rotation.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import { laterRequest } from "./grace-hold.ts";
import { type Asked, describeAsker, describeRequester } from "./permit.ts";

/**
 * Combines two requests for the same rotation. An exposure outranks other reasons, the shorter grace period counts, and a freeze
 * that one request lifts is lifted. The hold of the weaker request does not apply to the stronger one.
 */
export function stricter(
  waiting: RotationRequest,
  added: RotationRequest,
  record: TargetRecord,
): RotationRequest {
  const at = laterRequest(waiting.at, added, record);
  const { reason, requestedBy } = added;
  const { notBefore: _n, heldBy: _h, ...free } = waiting;
  const grace = findShortest(waiting.grace, added.grace);
  const takesOver = isEscalated(waiting, added);
  const lift = waiting.lift ?? added.lift;
  const force = findLaterForce(waiting.force, added.force);
  const justification = chooseJustification(waiting, added);
  const isStricter =
    takesOver || lift !== waiting.lift || force !== waiting.force || at !== waiting.at;
  // The words of the second person must not look like those of the first.
  const isNews = isStricter || !isSameJustification(justification, waiting.justification);
  return {
    ...(isStricter ? free : waiting),
    at,
    ...(takesOver && { reason, requestedBy }),
    ...(isNews && {
      why: addWord(describeRequester(waiting), `; then by ${describeAsker(added)}`),
    }),
    ...(grace !== undefined && { grace }),
    ...pickGiven({ lift, force, justification }),
  };
}

/** Of the person whose request gives the rotation its cause, or of the other one if that person gave none. */
function chooseJustification(
  wanted: Pick<Asked, "reason" | "justification">,
  added: Pick<Asked, "reason" | "requestedBy" | "justification">,
): Justification | undefined {
  return isEscalated(wanted, added)
    ? (added.justification ?? wanted.justification)
    : (wanted.justification ?? added.justification);
}

/** The shortest grace period counts, so that no request lengthens the life of a secret that another request wants disabled. */
export function findShortest(...graces: readonly (number | undefined)[]): number | undefined {
  const given = graces.filter((grace) => grace !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/**
 * Whether the added request gives the rotation its reason and its requester. The first exposure does, even if another person requested
 * the rotation before. A person does after a target that this one follows: the grace after a publication by hand delays no person.
 */
function isEscalated(
  wanted: Pick<Asked, "reason">,
  added: Pick<Asked, "reason" | "requestedBy">,
): boolean {
  if (added.reason === "exposure") return wanted.reason !== "exposure";
  return wanted.reason === "linked" && added.reason !== "linked" && isRequestOfPerson(added);
}

export function isSameRequest(a: QueuedRequest | undefined, b: QueuedRequest | undefined): boolean {
  const fields = [
    "rotationId",
    "reason",
    "requestedBy",
    "at",
    "notBefore",
    "heldBy",
    "grace",
    "why",
    "hurries",
  ] as const;
  return fields.every((field) => a?.[field] === b?.[field]) && isSameGiven(a, b);
}

type Given = Pick<RotationRequest, "lift" | "force" | "justification"> | undefined;

/** Whether people gave the same for both: liftings of freezes and pauses, and a justification. */
function isSameGiven(a: Given, b: Given): boolean {
  return (
    isSameLift(a?.lift, b?.lift) &&
    isSameLift(a?.force, b?.force) &&
    isSameJustification(a?.justification, b?.justification)
  );
}

function isSameLift(a: RotationRequest["lift"], b: RotationRequest["lift"]): boolean {
  return a?.at === b?.at && a?.by === b?.by && a?.why === b?.why;
}

/** The rotation without a hold, with the combined reasons of those who requested it. */
export function joinedTo(
  rotation: Rotation,
  asked: RotationRequest,
  record: Pick<TargetRecord, "superseded">,
): Rotation {
  // An import or an undo keeps its own reason.
  const request = rotation.given ? { ...asked, reason: rotation.reason } : asked;
  // Until a rotation has changed the target, windows delay it if the schedule wants it, but not if a person does.
  const takesOver = !rotation.changeBegan && rotation.requestedBy === schedule;
  const grace = findShortest(rotation.grace, request.grace);
  const lift = rotation.lift ?? request.lift;
  const force = findLaterForce(rotation.force, request.force);
  const onTheWordOf =
    takesOver || isEscalated(rotation, request) ? combineReasons(rotation, request) : {};
  const requestedAt = laterRequest(rotation.requestedAt, request, record);
  const justification = takesOver ? request.justification : chooseJustification(rotation, request);
  const given = pickGiven({ lift, force, justification });
  const wanted = { ...onTheWordOf, requestedAt, ...given };
  const joined = { ...withoutHold(rotation), ...wanted, ...(grace !== undefined && { grace }) };
  if (isSameGiven(given, rotation) && Object.keys(onTheWordOf).length === 0) return joined;
  return {
    ...joined,
    why: addWord(rotation.why, `; then ${describeRequester(request).replace(/^R/, "r")}`),
  };
}

/** Both reasons, shortened so that the added one stays visible. */
function addWord(why: string, added: string): string {
  return shorten(`${shorten(why, maxWhyLength / 2)}${added}`, maxWhyLength);
}

/** An exposure stays the reason, even if another person requests the rotation later. */
function combineReasons(
  rotation: Rotation,
  { reason, requestedBy }: RotationRequest,
): Partial<Rotation> {
  return rotation.reason === "exposure" ? { requestedBy } : { reason, requestedBy };
}

export function isWantedAlike(a: Rotation, b: Rotation): boolean {
  const fields = ["reason", "requestedBy", "requestedAt", "grace"] as const;
  return fields.every((field) => a[field] === b[field]) && isSameGiven(a, b);
}
