import { ChangeRefusedError } from "../../core/errors.ts";
import { redact } from "../../core/secrets/redact.ts";
import type { Secret } from "../../core/secrets/secret.ts";

/**
 * Whether consumers read this key, in whatever form: plain, in JSON, in a URL or in a connection string. The search is that with which
 * secrets are removed from messages, so it also finds parts of the key.
 */
export function isPublished(key: Secret, publishedText: Secret | undefined): boolean {
  const text = publishedText?.reveal() ?? "";
  return redact(text, [key]) !== text;
}

/** Throws if consumers read this key. It refuses rather too often. */
export function requireUnpublished(
  key: Secret,
  publishedText: Secret | undefined,
  where: string,
): void {
  if (!isPublished(key, publishedText)) return;
  throw new ChangeRefusedError(`${where}: consumers read this key, so it is not regenerated`);
}
