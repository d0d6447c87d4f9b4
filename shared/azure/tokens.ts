import type { TokenCredential } from "@azure/identity";
import { TargetUnavailableError } from "../core/errors.ts";
import { Secret } from "../core/secrets/secret.ts";
import { withDeadline } from "../http/deadline.ts";

/**
 * Returns a function that fetches a token of the credential for a scope. It throws TargetUnavailableError without the text of the
 * failure, which may quote an answer of a server. The credential itself keeps tokens until shortly before they expire.
 */
export function makeTokenReader(
  credential: TokenCredential,
): (scope: string, signal: AbortSignal) => Promise<Secret> {
  return async (scope, signal) => {
    const token = await findToken(credential, scope, signal);
    if (token !== undefined) return token;
    throw new TargetUnavailableError(
      `Azure gives no token for ${scope} to the identity of the app. Check that the app has a managed identity, and that AZURE_CLIENT_ID names it if it is user-assigned`,
    );
  };
}

/** Undefined if the credential gives none. It ends with the signal, which the credential may ignore. */
export async function findToken(
  credential: TokenCredential,
  scope: string,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  try {
    const granted = await withDeadline(signal, (abortSignal) =>
      credential.getToken(scope, { abortSignal }),
    );
    return granted === null ? undefined : new Secret(granted.token);
  } catch {
    return undefined;
  }
}
