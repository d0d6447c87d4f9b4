import { ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Target, VersionRef } from "../../core/target.ts";
import type { StoredSecret } from "../../vaults/vault.ts";
import type { TargetSession } from "../session.ts";
import { readCurrent, toCredential } from "./stored.ts";

/** The credential of an admin, and where it is stored. */
export interface AdminCredential {
  readonly credential: Credential;
  readonly ref: VersionRef;
}

/**
 * Returns the admin's credential as the vault has it now, or had it seconds ago for another target. Does not try to log in with it.
 * Throws ConfigError.
 */
export async function recallAdmin(session: TargetSession): Promise<AdminCredential> {
  const { secret } = requireAdmin(session.target);
  const known = session.ports.adminSecrets?.recall(secret, session.now());
  if (!known) return readAdmin(session);
  session.guard(known.value);
  return adminIn(session, known);
}

/** Returns the admin's credential as the vault has it now. Does not try to log in with it. Throws ConfigError. */
export async function readAdmin(session: TargetSession): Promise<AdminCredential> {
  const { target } = session;
  const { secret } = requireAdmin(target);
  const stored = await readCurrent(session, secret);
  if (typeof stored === "string") {
    throw new ConfigError(`the admin secret ${secret.name} of target ${target.id} is ${stored}`);
  }
  session.ports.adminSecrets?.keep(secret, stored, session.now());
  return adminIn(session, stored);
}

function requireAdmin({ id, authority }: Target): Extract<Target["authority"], { as: "admin" }> {
  if (authority.as === "admin") return authority;
  throw new RangeError(`target ${id} has no admin`);
}

function adminIn(session: TargetSession, stored: StoredSecret): AdminCredential {
  const { target } = session;
  const { secret, account } = requireAdmin(target);
  const credential = toCredential(session, stored, account === undefined ? [] : [account]);
  if (!credential) {
    throw new ConfigError(
      `the admin secret ${secret.name} of target ${target.id} must be JSON with username and password, ` +
        "or a bare password with admin.account set",
    );
  }
  if (target.slots.some((slot) => slot.account === credential.account)) {
    throw new ConfigError(
      `the admin of target ${target.id} must not be one of the accounts that the target rotates`,
    );
  }
  return { credential, ref: stored.ref };
}
