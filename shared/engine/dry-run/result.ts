import type { DryRunCheck } from "../../core/dry-run.ts";
import { errorGuide } from "../../core/error-guide.ts";
import type { StoredSecret, Unreadable } from "../../vaults/vault.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import type { TargetSession } from "../session.ts";

/** What was read of the published secret. Undefined if the vault could not be read. */
export type Stored = StoredSecret | Unreadable | undefined;

export type Subject = Pick<DryRunCheck, "check" | "about">;

export function report(
  subject: Subject,
  result: DryRunCheck["result"],
  text: string,
  action?: string,
): DryRunCheck {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
  return { ...subject, result, sentence, ...(action !== undefined && { action }) };
}

/** The failed check, with the cure for errors of that kind. */
export function reportError(session: TargetSession, subject: Subject, error: unknown): DryRunCheck {
  rethrowUnlessExpected(error);
  const { kind, message } = toFailure(session, error);
  const { cure } = errorGuide[kind];
  const action =
    error instanceof GuessPauseError
      ? "Wait until then, and find out who changed the password."
      : cure && `${cure}.`;
  // The message may begin with the name of an account, which keeps its form.
  return report(subject, "failed", `The check failed: ${message}`, action);
}
