import {
  ConfigError,
  NoLiveCredentialError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../core/errors.ts";
import { type Rotation, unheld } from "../core/rotation.ts";
import type { Credential } from "../core/secret.ts";
import { candidates, promote, slotOf, withSlot } from "../core/slots.ts";
import { sameVersion, type VersionRef } from "../core/target.ts";
import { between, type Instant } from "../core/time.ts";
import type { Using } from "../rotators/rotator.ts";
import { applyChange, credentialIn, logsIn, readCredential, readCurrent } from "./reach.ts";
import type { Session } from "./session.ts";
import { type Advance, GoBackError, NotYetPropagatedError } from "./step.ts";

/**
 * Gives the target the pending secret. Asks before it acts: if a change may have begun and the pending secret logs
 * in, the work was done already. No other secret is made while nobody knows whether this one is live.
 */
export async function applying(session: Session, rotation: Rotation): Promise<Advance> {
  const pending = await pendingCredential(session, rotation);
  if (!pending) return pendingLost(session, rotation);
  if (rotation.changeBegan && (await logsIn(session, pending))) return { to: "publishing" };
  await mustStillWait(session, rotation);
  const { using, live } = await authority(session, rotation);
  const begun = await confirmClaim(session, rotation, live);
  const applied = await applyChange(session, pending, using);
  const confirmedAt = begun.confirmedAt ?? session.now();
  await session.commit({ ...session.record(), rotation: { ...begun, confirmedAt } });
  session.emit({ type: "applied", rotationId: rotation.id, account: rotation.account });
  if (await logsIn(session, applied)) return { to: "publishing" };
  throw isPropagating(session, confirmedAt)
    ? new NotYetPropagatedError("the target took the new secret and does not accept it yet")
    : new OutcomeUnknownError("the target took the new secret and then refused it");
}

/** A refusal soon after the change means nothing yet; one after all tries means that a person must decide. */
async function mustStillWait(session: Session, rotation: Rotation): Promise<void> {
  const { confirmedAt, account } = rotation;
  if (confirmedAt === undefined) return;
  if (isPropagating(session, confirmedAt)) {
    throw new NotYetPropagatedError("the target took the new secret and does not accept it yet");
  }
  const { id, policy } = session.target;
  if (rotation.failures + 1 < policy.retry.attempts) return;
  if (await liveCredential(session, rotation)) return;
  throw new NoLiveCredentialError(
    `${id} took a new secret for ${account} and refuses it, and refuses every older one`,
  );
}

/** Counted from the first time that the target took the secret: giving it again must not make the wait endless. */
function isPropagating(session: Session, confirmedAt: Instant): boolean {
  const { propagation } = session.ports.rotator(session.target.type).capabilities;
  return between(confirmedAt, session.now()) < propagation;
}

/** Written before the change is sent: from here on the target may have the pending secret. */
async function confirmClaim(
  session: Session,
  rotation: Rotation,
  live: VersionRef | undefined,
): Promise<Rotation> {
  const record = session.record();
  const begun: Rotation = {
    ...unheld(rotation),
    changeBegan: true,
    // Whoever finds it begun has not heard how the change ended.
    ...(rotation.changeBegan && { outcomeInDoubt: true }),
  };
  // What has just logged in is what the account has, wherever among the candidates it was found.
  const slot = slotOf(record, rotation.account);
  const slots = live
    ? withSlot(record.slots, promote(slot, live, slot.changedAt ?? session.now()))
    : record.slots;
  await session.commit({ ...record, slots, rotation: begun });
  return begun;
}

interface Proven {
  readonly using: Using;
  /** Where the credential is kept that the account has at this moment. */
  readonly live?: VersionRef;
}

/** The one authority the change is made with; a credential in it has just logged in. */
async function authority(session: Session, rotation: Rotation): Promise<Proven> {
  const { target } = session;
  if (target.authority.as === "identity") return { using: { as: "identity" } };
  if (target.authority.as === "admin") {
    return { using: { as: "admin", credential: await adminCredential(session) } };
  }
  const found = await liveCredential(session, rotation);
  if (found) return { using: { as: "self", credential: found.credential }, live: found.ref };
  throw new NoLiveCredentialError(
    `${target.id} refuses every stored secret of ${rotation.account}, so nobody can change it`,
  );
}

export async function adminCredential(session: Session): Promise<Credential> {
  const { target } = session;
  if (target.authority.as !== "admin") throw new RangeError(`${target.id} has no admin`);
  const { secret, account } = target.authority;
  const stored = await readCurrent(session, secret);
  if (typeof stored === "string") {
    throw new ConfigError(`the admin secret ${secret.name} of ${target.id} is ${stored}`);
  }
  const credential = credentialIn(session, stored, account === undefined ? [] : [account]);
  if (!credential) {
    throw new ConfigError(
      `the admin secret ${secret.name} of ${target.id} must be JSON with username and password, ` +
        "or a bare password with admin.account set",
    );
  }
  if (target.slots.some((slot) => slot.account === credential.account)) {
    throw new ConfigError(`the admin of ${target.id} may not be an account that it rotates`);
  }
  // Refused here, nothing was changed: the admin's own rotation may be under way.
  if (!(await logsIn(session, credential, "admin"))) {
    throw new TargetUnavailableError(
      `${target.id} refuses the admin credential kept in ${secret.name}`,
    );
  }
  return credential;
}

/** Tries what is stored for the account, likeliest first, each once. A target that cannot be asked ends it at once. */
async function liveCredential(
  session: Session,
  rotation: Rotation,
): Promise<{ credential: Credential; ref: VersionRef } | undefined> {
  const { account } = rotation;
  const newest = await readCurrent(session, session.target.publish);
  const isTheirs = typeof newest !== "string" && credentialIn(session, newest, [account]);
  const refs = candidates(
    slotOf(session.record(), account),
    isTheirs ? newest.ref : undefined,
  ).filter((ref) => !sameVersion(ref, rotation.pending));
  for (const ref of refs) {
    const credential = await readCredential(session, ref, [account]);
    if (credential && (await logsIn(session, credential))) return { credential, ref };
  }
  return undefined;
}

export async function pendingCredential(
  session: Session,
  rotation: Rotation,
): Promise<Credential | undefined> {
  return rotation.pending && readCredential(session, rotation.pending, [rotation.account]);
}

/**
 * Somebody deleted or disabled the pending version. Another secret may be made only if the account can be given one
 * all the same: by somebody else's rights, or because an older secret of its own still logs in.
 */
export async function pendingLost(session: Session, rotation: Rotation): Promise<never> {
  const version = rotation.pending?.version ?? "";
  if (rotation.changeBegan && session.target.authority.as === "self") {
    if (!(await liveCredential(session, rotation))) {
      throw new NoLiveCredentialError(
        `the pending version ${version} cannot be read and no older secret of ${rotation.account} ` +
          "logs in; enable that version again",
      );
    }
  }
  throw new GoBackError("staging", `the pending version ${version} cannot be read any more`);
}
