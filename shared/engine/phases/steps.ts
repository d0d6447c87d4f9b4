import { ChangeRefusedError, TargetUnavailableError } from "../../core/errors.ts";
import type { EventType } from "../../core/events.ts";
import { describeAwaited } from "../../core/lifecycle/awaited.ts";
import { type Rotation, type WorkingPhase } from "../../core/record/record.ts";
import { mayHaveChanged } from "../../core/record/rotation.ts";
import { chooseAccount, isOwnWork } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { hasGrace } from "../../core/target.ts";
import { generateSecret } from "../calls/generate.ts";
import { logsIn } from "../calls/reach.ts";
import { readCurrent, toCredential } from "../calls/stored.ts";
import { toFailure } from "../failure.ts";
import { takeRoomForBoth } from "../fleet/room.ts";
import { recallPending, type StoredCredential } from "../looks/credentials.ts";
import { reportForeignVersion, syncPublished } from "../looks/drift.ts";
import { findProof, issueProof } from "../looks/proof.ts";
import { restorePublished } from "../looks/recover.ts";
import { toKnownEnd, withEnd } from "../looks/secret-end.ts";
import type { TargetSession } from "../session.ts";
import { applying, handleLostPending } from "./applying.ts";
import { cleaning, discardPending } from "./cleaning.ts";
import { stageGiven } from "./given.ts";
import { minting, stageMint } from "./minting.ts";
import {
  makePublication,
  publish,
  readPrevious,
  requireRoom,
  storePending,
} from "./publication.ts";
import { refreshConsumers } from "./refresh.ts";
import { canSetBack } from "./set-back.ts";
import { type Advance, GoBackError, type Step } from "./step.ts";

/** One step per phase. Each is safe to repeat, because a crash may hide that it was done. */
export const steps: Readonly<Record<WorkingPhase, Step>> = {
  staging,
  applying: (session, rotation) =>
    session.target.origin === "system" ? minting(session, rotation) : applying(session, rotation),
  publishing,
  checking,
  refreshing,
  cleaning,
};

/** The event to emit once the step of a phase has succeeded. */
export const eventOf: Readonly<Record<WorkingPhase, EventType>> = {
  staging: "staged",
  applying: "verified",
  publishing: "published",
  checking: "checked",
  refreshing: "refreshed",
  cleaning: "cleaned",
};

/** Stores the pending version. A crash before the journal records it leaves an orphan that no target ever received. */
async function staging(session: TargetSession, rotation: Rotation): Promise<Advance> {
  if (rotation.given) return stageGiven(session, rotation, rotation.given);
  const { origin } = session.target;
  if (origin === "system") return stageMint(session, rotation);
  if (origin === "people") throw new ChangeRefusedError(describeAwaited(session.target));
  const { target } = session;
  // The check before the change also finds a foreign version. Finding it here avoids an unnecessary pending version.
  const published = isOwnWork(session.record()) ? undefined : await syncPublished(session);
  const account = chooseAccount(target, session.record());
  await takeRoomForBoth(session);
  if (!mayHaveChanged(rotation)) await discardPending(session, rotation);
  const credential = { account, secret: generateSecret(session, account) };
  if (published) {
    const current = published.is === "nothing" ? "absent" : published.stored;
    await requireRoom(session, rotation.id, credential, current);
  }
  const pending = await storePending(session, rotation.id, credential);
  return { to: "applying", learnt: { account, pending, changeBegan: false } };
}

async function publishing(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const { target } = session;
  const pending = await recallPending(session, rotation);
  if (!pending) return handleLostPending(session, rotation);
  const current = await readCurrent(session, target.publish);
  const previous = await readPrevious(session, current);
  const credential = await withEnd(session, pending.credential, rotation.given === undefined);
  const publication = makePublication(session, rotation.id, credential, previous);
  if (
    typeof current !== "string" &&
    current.tags["keyturn-rotation"] === rotation.id &&
    current.value.equals(publication.content.value)
  ) {
    return { to: "checking", learnt: { published: current.ref } };
  }
  // A version that somebody else wrote may work, and the pending secret may no longer log in.
  const isForeign = await reportForeignVersion(session, current, rotation);
  const proof = isForeign ? undefined : findProof(session, "pending");
  if (!proof && !(await isStillAccepted(session, rotation, pending))) {
    throw new GoBackError(
      "applying",
      "the target no longer accepts the new secret; the change is repeated",
    );
  }
  const published = await publish(session, rotation.id, publication);
  return { to: "checking", learnt: { published } };
}

/**
 * Whether the target still accepts the new secret. If one of several servers does not answer for longer than a moment, the others refuse
 * the published secret until then, so the rotation goes back to where it is set again.
 */
async function isStillAccepted(
  session: TargetSession,
  rotation: Rotation,
  pending: StoredCredential,
): Promise<boolean> {
  try {
    return await logsIn(session, pending);
  } catch (error) {
    if (rotation.failures === 0 || !canSetBack(session, rotation, error)) throw error;
    const { message } = toFailure(session, error);
    throw new GoBackError("applying", `${message}. The published secret is set again meanwhile`);
  }
}

/** Proves that consumers can log in: the current version is the one that Keyturn published, and the target accepts it. */
async function checking(session: TargetSession, rotation: Rotation): Promise<Advance> {
  const { name } = session.target.publish;
  const current = await readCurrent(session, session.target.publish);
  const expected = await recallPending(session, rotation);
  const found =
    typeof current === "string" ? undefined : toCredential(session, current, [rotation.account]);
  if (
    typeof current === "string" ||
    !found ||
    !expected ||
    !isSameCredential(found, expected.credential)
  ) {
    await reportForeignVersion(session, current, rotation);
    throw new GoBackError(
      "publishing",
      `the current version of ${name} was not written by this rotation; Keyturn publishes it again`,
    );
  }
  if (!(await logsIn(session, { credential: found, ref: current.ref }))) {
    // For a single account, spend no guess on older secrets: the pending secret is set again at once.
    if (hasGrace(session.target)) {
      await restorePublished(session, { is: "refused", stored: current, credential: found });
    }
    throw new GoBackError("applying", `the target refuses the published secret ${name}`);
  }
  issueProof(session, "published");
  session.stage({ ...session.record(), ...toKnownEnd(current.ref, found) });
  return { to: "refreshing", learnt: { published: current.ref } };
}

async function refreshing(session: TargetSession, { id, published }: Rotation): Promise<Advance> {
  if (!published) return { to: "cleaning" };
  const problems = await refreshConsumers(session, id, published);
  if (problems.length > 0) throw new TargetUnavailableError(problems.join(" "));
  return { to: "cleaning" };
}

function isSameCredential(a: Credential, b: Credential): boolean {
  return a.account === b.account && a.secret.equals(b.secret);
}
