import { ChangeRefusedError } from "../../core/errors.ts";
import { findPrevious, mayApplyGiven } from "../../core/lifecycle/given.ts";
import type { GivenSecret } from "../../core/record/given.ts";
import type { Rotation } from "../../core/record/record.ts";
import { mayHaveChanged } from "../../core/record/rotation.ts";
import { findSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { hasOverlap, isSameVersion, type Target, type VersionRef } from "../../core/target.ts";
import { readCredential } from "../calls/stored.ts";
import { takeRoomForBoth } from "../fleet/room.ts";
import { readPending, stillLogsIn } from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { issueProof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { discardPending } from "./cleaning.ts";
import { getPropagation, isPropagatingNow } from "./propagation.ts";
import { requireRoom, storePending } from "./publication.ts";
import { type Advance, lostPending, NotYetPropagatedError } from "./step.ts";

/**
 * The step `staging` of a rotation whose secret is given. An imported secret is stored as pending already. Of the previous secret, a copy
 * becomes pending, so that whatever is disabled later is only the copy.
 */
export async function stageGiven(
  session: TargetSession,
  rotation: Rotation,
  given: GivenSecret,
): Promise<Advance> {
  const published = await syncPublished(session);
  if (!mayHaveChanged(rotation)) requirePrevious(session, given);
  const credential = await readGiven(session, given);
  const current = published.is === "nothing" ? "absent" : published.stored;
  await requireRoom(session, rotation.id, credential, current);
  const pending =
    given.by === "import" ? given.ref : await storeCopy(session, rotation, credential);
  return { to: "applying", learnt: { pending, changeBegan: false } };
}

/** Requires that the secret to publish again is still the previous one: a person may have changed or published the account since. */
function requirePrevious(session: TargetSession, given: GivenSecret): void {
  const { target } = session;
  if (given.by === "import") return;
  const found = findPrevious(session.record(), target);
  if ("refused" in found) throw new ChangeRefusedError(`${found.refused}; nothing was changed`);
  if (found.account === given.account && isSameVersion(found.ref, given.ref)) return;
  throw new ChangeRefusedError(
    `version ${given.ref.version} is no longer the previous secret of target ${target.id}; nothing was changed`,
  );
}

async function readGiven(
  session: TargetSession,
  { by, account, ref }: GivenSecret,
): Promise<Credential> {
  const credential = await readCredential(session, ref, [account]);
  if (credential) return credential;
  const what = by === "import" ? "imported" : "previous";
  const action = by === "import" ? "Import it again" : "Enable it, or request a rotation";
  throw new ChangeRefusedError(
    `the ${what} secret of ${account} cannot be read (version ${ref.version} of ${ref.name}). ${action}`,
  );
}

async function storeCopy(
  session: TargetSession,
  rotation: Rotation,
  credential: Credential,
): Promise<VersionRef> {
  await takeRoomForBoth(session);
  if (!mayHaveChanged(rotation)) await discardPending(session, rotation);
  return storePending(session, rotation.id, credential);
}

/**
 * Finds out, before anything is changed, whether the target has the given secret already. It is tried once, because wrong guesses lock
 * accounts. The previous secret of a single account was replaced by Keyturn itself, so it is set without a try.
 */
export async function findGivenLive(
  session: TargetSession,
  rotation: Rotation,
  given: GivenSecret,
): Promise<Advance | undefined> {
  // Somebody may have reported an exposure since the previous secret was copied.
  if (!mayHaveChanged(rotation)) requirePrevious(session, given);
  // A superseded secret that Keyturn has not ended yet still logs in.
  const isKept = hasOverlap(session.target) && session.record().retirement !== undefined;
  const isExpected = given.by === "import" || !given.mayApply || isKept;
  if (!isExpected || given.wasRefused === true) return undefined;
  const pending = await readPending(session, rotation);
  if (!pending) throw lostPending(rotation);
  const isPropagating = given.by === "import" && isPropagatingNow(session, rotation.startedAt);
  if (await stillLogsIn(session, { ...pending, isSearch: true, isPropagating })) {
    issueProof(session, "pending");
    const confirmedAt = session.now();
    const sameAs = await findSame(session, given, pending.credential);
    const accepted = { ...given, wasAccepted: true, ...(sameAs !== undefined && { sameAs }) };
    return { to: "publishing", learnt: { changeBegan: true, confirmedAt, given: accepted } };
  }
  noteRefused(session, rotation, given, isPropagating);
  return undefined;
}

/**
 * Records that the target refused the given secret. Where a new secret propagates, somebody may have set an imported one just before, and
 * its pending version may be the only stored copy: a refusal means nothing yet, and a secret that Keyturn must not set stays a candidate.
 */
function noteRefused(
  session: TargetSession,
  rotation: Rotation,
  given: GivenSecret,
  isPropagating: boolean,
): void {
  const record = session.record();
  const mayApply = mayApplyGiven(record, rotation, session.target);
  if (isPropagating && !mayApply) throw new NotYetPropagatedError(notAcceptedYet);
  const isCandidate = given.by === "import" && !mayApply && getPropagation(session) > 0;
  if (isPropagating || isCandidate) return;
  const open = record.rotation ?? rotation;
  session.stage({ ...record, rotation: { ...open, given: { ...given, wasRefused: true } } });
}

const notAcceptedYet =
  "the target refuses the imported secret; a secret that was set a moment ago may not be accepted yet";

/**
 * The version of the account, current or superseded, if an import has the same secret: to publish that again answers no exposure of it.
 */
async function findSame(
  session: TargetSession,
  { by, account }: GivenSecret,
  { secret }: Credential,
): Promise<string | undefined> {
  if (by !== "import") return undefined;
  const { current, previous } = findSlot(session.record(), account);
  for (const ref of [current, previous]) {
    const known = ref && (await readCredential(session, ref, [account]));
    if (known?.secret.equals(secret) === true) return ref?.version;
  }
  return undefined;
}

/** Throws ChangeRefusedError when the target does not have the given secret and must not get it from Keyturn. */
export function requireRightToApply(session: TargetSession, rotation: Rotation): void {
  const { target } = session;
  if (mayApplyGiven(session.record(), rotation, target)) return;
  const { account, given } = rotation;
  const what = given?.by === "undo" ? "previous" : "imported";
  const why = explainRefusal(target, session.record().active === account);
  throw new ChangeRefusedError(
    `target ${target.id} refuses the ${what} secret of ${account}, and ${why}`,
  );
}

function explainRefusal({ origin, slots }: Target, isPublished: boolean): string {
  if (origin !== undefined) return "Keyturn cannot set it. Import a secret that the target accepts";
  return slots.length > 1 && isPublished
    ? "consumers use this account, so Keyturn does not change its password"
    : "the person who imported it did not allow Keyturn to set it. Set it on the target, or import it again without `apply: never` (`--never-apply`)";
}
