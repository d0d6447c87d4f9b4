import type { SecretName } from "../../core/target.ts";
import { between, type Instant, second } from "../../core/time.ts";
import type { StoredSecret } from "../../vaults/vault.ts";

/** Milliseconds. Equal to the time for which an admin's connection may stay open for the next target of a server. */
const keptFor = 5 * second;

/**
 * Admin secrets that targets of this process have just read. A remembered secret proves nothing: the caller logs in with it, and reads it
 * from the vault again when the target refuses it.
 */
export interface AdminSecrets {
  recall(name: SecretName, now: Instant): StoredSecret | undefined;
  keep(name: SecretName, stored: StoredSecret, now: Instant): void;
}

export function makeAdminSecrets(): AdminSecrets {
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
