import type { Credential } from "../secrets/secret.ts";
import { parseInstant } from "../time.ts";

/** What the system says about a secret, which the value itself does not contain. */
type Facts = Pick<Credential, "secretId" | "expiresAt">;

const tagOf = {
  secretId: "keyturn-secret-id",
  expiresAt: "keyturn-secret-expires",
} as const satisfies Record<keyof Facts, string>;

/** The tags of a version that stores the credential. */
export function toFactTags({ secretId, expiresAt }: Facts): Record<string, string> {
  return {
    ...(secretId !== undefined && { [tagOf.secretId]: secretId }),
    ...(expiresAt !== undefined && { [tagOf.expiresAt]: expiresAt }),
  };
}

export function readFactTags(tags: Readonly<Record<string, string>>): Facts {
  const { [tagOf.secretId]: secretId, [tagOf.expiresAt]: ends = "" } = tags;
  const expiresAt = parseInstant(ends);
  return {
    ...(secretId !== undefined && { secretId }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
