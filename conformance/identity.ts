import { Secret } from "../shared/core/secrets/secret.ts";
import type { AzureIdentity } from "../shared/rotators/rotator.ts";

/** The app's Azure identity with a token that no system knows. */
export const appIdentity: AzureIdentity = {
  as: "identity",
  getToken: (scope) => Promise.resolve(new Secret(`token for ${scope}`)),
};
