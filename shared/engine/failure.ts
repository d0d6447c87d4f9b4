import { isKnownError, LeaseLostError } from "../core/errors.ts";
import type { Failure } from "../core/record/record.ts";
import { redact } from "../core/secrets/redact.ts";
import { maxWhyLength, shorten } from "../core/shorten.ts";
import { JournalUnavailableError } from "../stores/journal.ts";
import type { TargetSession } from "./session.ts";

/** Losing the claim or the journal is not a failure of the rotation: the next worker that claims the target continues it. */
export function rethrowUnlessExpected(error: unknown): void {
  if (error instanceof LeaseLostError || error instanceof JournalUnavailableError) throw error;
}

export function toFailure(session: TargetSession, error: unknown): Failure {
  const known = isKnownError(error);
  const text = error instanceof Error ? error.message : "a value that is not an Error was thrown";
  const name = error instanceof Error && !known ? `${error.name}: ` : "";
  return {
    kind: known ? error.kind : "bug",
    message: shorten(redact(`${name}${text}`, session.secrets()), maxWhyLength),
    at: session.now(),
  };
}
