import { readAdmin } from "../calls/admin-credential.ts";
import type { TargetSession } from "../session.ts";
import type { Authority } from "./authority.ts";
import { toIdentity } from "./identity.ts";

/**
 * The admin, with its secret as the vault has it now, or the identity. Undefined for accounts that change themselves. An admin whose secret
 * was rotated a moment ago would be refused with the one that Keyturn remembers.
 */
export async function readOtherAuthority(session: TargetSession): Promise<Authority | undefined> {
  const { as } = session.target.authority;
  if (as === "self") return undefined;
  if (as === "identity") return { using: toIdentity(session), ref: undefined };
  const { credential, ref } = await readAdmin(session);
  return { using: { as: "admin", credential }, ref };
}
