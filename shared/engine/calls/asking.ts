import {
  isKnownError,
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../core/errors.ts";
import { redact } from "../../core/secrets/redact.ts";
import { toServerName } from "../fleet/turn.ts";
import type { TargetSession } from "../session.ts";

/** Calls the target. Wraps unknown errors in `Unnamed`, and records whether the server answered. */
export async function asTarget<Result>(
  session: TargetSession,
  Unnamed: new (message: string) => Error,
  what: string,
  call: () => Promise<Result>,
): Promise<Result> {
  const { ports, target } = session;
  const began = session.now();
  const note = (isUnavailable: boolean) => {
    ports.servers?.note(toServerName(ports, target), began, isUnavailable);
  };
  try {
    const result = await wrapUnknownErrors(session, Unnamed, what, call);
    note(false);
    return result;
  } catch (error) {
    note(error instanceof TargetUnavailableError || error instanceof OutcomeUnknownError);
    throw error;
  }
}

/** Calls a vault. Wraps unknown errors in VaultUnavailableError. */
export function asVault<Result>(
  session: TargetSession,
  call: () => Promise<Result>,
): Promise<Result> {
  return wrapUnknownErrors(session, VaultUnavailableError, "the request to the vault failed", call);
}

async function wrapUnknownErrors<Result>(
  session: TargetSession,
  Unnamed: new (message: string) => Error,
  what: string,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (isKnownError(error)) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : "not an Error";
    // The original is not kept as the cause: drivers put statements and requests on their errors.
    throw new Unnamed(redact(`${what} (${reason})`, session.secrets()));
  }
}
