import type { AzureIdentity } from "../../rotators/rotator.ts";
import type { TargetSession } from "../session.ts";

/** The app's Azure identity as the authority of a change. No message about this target can show its tokens. */
export function toIdentity(session: TargetSession): AzureIdentity {
  return {
    as: "identity",
    getToken: async (scope, signal) => session.guard(await session.ports.getToken(scope, signal)),
  };
}
