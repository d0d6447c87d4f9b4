import { ConfigError, NoLiveCredentialError } from "../core/errors.ts";
import { isRecentlyRefused } from "../core/guesses.ts";
import { describeNoLiveCredential, type UnreadableVersion } from "../core/no-live-credential.ts";
import type { Rotation } from "../core/rotation.ts";
import type { Credential } from "../core/secret.ts";
import { candidates, slotOf } from "../core/slots.ts";
import { sameVersion, type VersionRef } from "../core/target.ts";
import {
  credentialIn,
  listVersions,
  logsIn,
  readCredential,
  readCurrent,
  readVersion,
} from "./reach.ts";
import type { Session } from "./session.ts";

/** A credential and where it is stored. */
export interface StoredCredential {
  readonly credential: Credential;
  readonly ref: VersionRef;
}

/** The admin's credential as the vault has it now. Whether it logs in was not asked. Throws ConfigError. */
export async function readAdmin(session: Session): Promise<StoredCredential> {
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
  return { credential, ref: stored.ref };
}

/**
 * The stored credential that the account has now. Tries each once, likeliest first; what was refused a moment ago comes last. A
 * target that cannot be asked ends it at once. Throws NoLiveCredentialError when none logs in.
 */
export async function findLiveCredential(
  session: Session,
  rotation: Rotation,
): Promise<StoredCredential> {
  const { account } = rotation;
  const refused: VersionRef[] = [];
  const unreadable: UnreadableVersion[] = [];
  for await (const ref of candidatesOf(session, rotation)) {
    const stored = await readVersion(session, ref);
    const credential =
      typeof stored === "string" ? undefined : credentialIn(session, stored, [account]);
    if (!credential) {
      const why = typeof stored === "string" ? stored : "holds no credential";
      unreadable.push({ ref, why });
    } else if (await logsIn(session, { credential, ref })) {
      return { credential, ref };
    } else {
      refused.push(ref);
    }
  }
  const { id: targetId } = session.target;
  throw new NoLiveCredentialError(
    describeNoLiveCredential({ targetId, account, refused, unreadable }),
  );
}

async function* candidatesOf(
  session: Session,
  { account, pending }: Rotation,
): AsyncGenerator<VersionRef> {
  const newest = await readCurrent(session, session.target.publish);
  const isTheirs = typeof newest !== "string" && credentialIn(session, newest, [account]);
  const slot = slotOf(session.record(), account);
  const refs = candidates(slot, isTheirs ? newest.ref : undefined);
  const known = refs.filter((ref) => !sameVersion(ref, pending));
  const wasRefused = ({ version }: VersionRef) =>
    isRecentlyRefused(session.refusals(), { account, version }, session.now());
  const refusedBefore = known.filter(wasRefused);
  yield* known.filter((ref) => !refusedBefore.includes(ref));
  for (const { credential, ref } of await readOverwritten(session, known)) {
    if (credential.account === account && !wasRefused(ref)) yield ref;
  }
  yield* refusedBefore;
}

/** How many versions back a version is looked for that somebody else wrote. */
const overwrittenWithin = 5;

/**
 * Credentials in the published secret that somebody else wrote and that were overwritten before Keyturn had seen them: Key Vault
 * cannot write on condition that nobody else has. Newest first. Whether they log in was not asked.
 */
export async function readOverwritten(
  session: Session,
  known: readonly VersionRef[],
): Promise<StoredCredential[]> {
  const { target } = session;
  const accounts = target.slots.map((slot) => slot.account);
  const versions = await listVersions(session, target.publish);
  const found: StoredCredential[] = [];
  for (const { ref, enabled } of versions.slice(0, overwrittenWithin)) {
    if (!enabled || known.some((one) => sameVersion(one, ref))) continue;
    const stored = await readVersion(session, ref);
    if (typeof stored === "string" || stored.tags["keyturn-target"] === target.id) continue;
    const credential = credentialIn(session, stored, accounts);
    if (credential) found.push({ credential, ref });
  }
  return found;
}

/** The secret that the rotation gives its account; undefined when its version cannot be read any more. */
export async function readPending(
  session: Session,
  { pending, account }: Rotation,
): Promise<StoredCredential | undefined> {
  const credential = pending && (await readCredential(session, pending, [account]));
  return credential && { credential, ref: pending };
}
