import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { askOwner } from "../calls/mint.ts";
import { noteOwner, readStored } from "../calls/stored.ts";
import type { TargetSession } from "../session.ts";
import { readOtherAuthority } from "./other-authority.ts";

/**
 * Finds out whose key a version is that somebody else wrote and that names no account. Without that, Keyturn might create the key anew that
 * consumers use.
 */
export async function recogniseOwner(
  session: TargetSession,
  stored: StoredSecret | Unreadable,
): Promise<void> {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  const accounts = target.slots.map((slot) => slot.account);
  if (typeof stored === "string" || !rotator.findOwner) return;
  if (readStored(session, stored, accounts).kind === "credential") return;
  const bare = readStored(session, stored, accounts.slice(0, 1));
  if (bare.kind === "none") return;
  const authority = await readOtherAuthority(session);
  if (!authority) return;
  const { secret } = bare.credential;
  const owner = await askOwner(session, { secret, accounts }, authority);
  if (owner !== undefined) noteOwner(session, stored.ref, owner);
}
