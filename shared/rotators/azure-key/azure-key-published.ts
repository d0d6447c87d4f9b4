import { ChangeRefusedError } from "../../core/errors.ts";
import { redact } from "../../core/secrets/redact.ts";
import type { Secret } from "../../core/secrets/secret.ts";

/**
 * Throws if consumers read this key, in whatever form: plain, in JSON, in a URL or in a connection string. The search is that with which
 * secrets are removed from messages, so it also finds parts of the key, and refuses rather too often.
 */
export function requireUnpublished(
  key: Secret,
  publishedText: Secret | undefined,
  where: string,
): void {
  const text = publishedText?.reveal() ?? "";
  if (redact(text, [key]) === text) return;
  throw new ChangeRefusedError(`${where}: consumers read this key, so it is not regenerated`);
}
