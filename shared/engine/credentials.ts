import { ConfigError, NoLiveCredentialError } from "../core/errors.ts";
import { isRecentlyRefused } from "../core/guesses.ts";
import type { Rotation } from "../core/rotation.ts";
import type { Credential } from "../core/secret.ts";
import { candidates, slotOf } from "../core/slots.ts";
import { sameVersion, type VersionRef } from "../core/target.ts";
import type { Unreadable } from "../vaults/vault.ts";
import { credentialIn, logsIn, readCredential, readCurrent, readVersion } from "./reach.ts";
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

/** A stored version of an account that could not be tried, and why not. */
interface Untried {
  readonly ref: VersionRef;
  readonly why: Unreadable | "holds no credential";
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
  const untried: Untried[] = [];
  for (const ref of await listCandidates(session, rotation)) {
    const stored = await readVersion(session, ref);
    const credential =
      typeof stored === "string" ? undefined : credentialIn(session, stored, [account]);
    if (!credential) {
      const why = typeof stored === "string" ? stored : "holds no credential";
      untried.push({ ref, why });
    } else if (await logsIn(session, { credential, ref })) {
      return { credential, ref };
    } else {
      refused.push(ref);
    }
  }
  throw new NoLiveCredentialError(describeNoneLive(session, account, refused, untried));
}

async function listCandidates(session: Session, rotation: Rotation): Promise<VersionRef[]> {
  const { account, pending } = rotation;
  const newest = await readCurrent(session, session.target.publish);
  const isTheirs = typeof newest !== "string" && credentialIn(session, newest, [account]);
  const slot = slotOf(session.record(), account);
  const refs = candidates(slot, isTheirs ? newest.ref : undefined);
  const others = refs.filter((ref) => !sameVersion(ref, pending));
  const wasRefused = ({ version }: VersionRef) =>
    isRecentlyRefused(session.refusals(), { account, version }, session.now());
  return [...others.filter((ref) => !wasRefused(ref)), ...others.filter(wasRefused)];
}

function describeNoneLive(
  { target }: Session,
  account: string,
  refused: readonly VersionRef[],
  untried: readonly Untried[],
): string {
  const name = ({ name, version }: VersionRef) => `${name}/${version}`;
  const remedies = untried.map(({ ref, why }) =>
    why === "disabled" ? `enable ${name(ref)}` : `${name(ref)} is ${why}`,
  );
  const tried =
    refused.length === 0
      ? `${target.id}: no stored secret of ${account} can be read`
      : `${target.id} refuses every stored secret of ${account} that can be read`;
  const then = `store the account's present secret in ${target.publish.name}, then request a rotation`;
  return [tried, ...remedies, then].join("; ");
}

/** The secret that the rotation gives its account; undefined when its version cannot be read any more. */
export async function readPending(
  session: Session,
  { pending, account }: Rotation,
): Promise<StoredCredential | undefined> {
  const credential = pending && (await readCredential(session, pending, [account]));
  return credential && { credential, ref: pending };
}
