import type { TokenCredential } from "@azure/identity";
import { TargetUnavailableError } from "../core/errors.ts";
import { Secret } from "../core/secrets/secret.ts";

/**
 * Returns a function that fetches a token of the credential for a scope. It throws TargetUnavailableError without the text of the
 * failure, which may quote an answer of a server. The credential itself keeps tokens until shortly before they expire.
 */
export function makeTokenReader(
  credential: TokenCredential,
): (scope: string, signal: AbortSignal) => Promise<Secret> {
  return async (scope, signal) => {
    const token = await ask(credential, scope, signal);
    if (token !== undefined) return new Secret(token);
    throw new TargetUnavailableError(
      `Azure gives no token for ${scope} to the identity of the app. Check that the app has a managed identity, and that AZURE_CLIENT_ID names it if it is user-assigned`,
    );
  };
}

async function ask(
  credential: TokenCredential,
  scope: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await credential.getToken(scope, { abortSignal: signal }))?.token;
  } catch {
    return undefined;
  }
}
