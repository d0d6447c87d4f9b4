import type { SecretName } from "../../core/target.ts";
import { between, type Instant, second } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";

/** Milliseconds. As long as the log-in of an admin may stay open for the next target of a server. */
const keptFor = 5 * second;

/**
 * Secrets of admins that targets of this process have just read. Not what consumers read, and no proof: whoever uses one logs in with it,
 * and reads it anew when it is refused.
 */
export interface AdminSecrets {
  recall(name: SecretName, now: Instant): StoredSecret | undefined;
  keep(name: SecretName, stored: StoredSecret, now: Instant): void;
}

export function adminSecrets(): AdminSecrets {
  const kept = new Map<string, { readonly stored: StoredSecret; readonly at: Instant }>();
  const keyOf = ({ vault, name }: SecretName) => `${vault}/${name.toLowerCase()}`;
  return {
    recall(name, now) {
      const found = kept.get(keyOf(name));
      const age = found ? between(found.at, now) : Infinity;
      if (age >= 0 && age <= keptFor) return found?.stored;
      kept.delete(keyOf(name));
      return undefined;
    },
    keep(name, stored, now) {
      kept.set(keyOf(name), { stored, at: now });
    },
  };
}
