import { randomBytes } from "node:crypto";
import { armErrors, Refused } from "./errors.ts";

/**
 * The callers. `contributor` may read and change resources, `writer` the same but cannot read how an operation
 * goes, `reader` may only read, `stranger` nothing; the token of `expired` is too old, that of `forged` no token.
 */
export type ArmRole = "contributor" | "writer" | "reader" | "stranger" | "expired" | "forged";

/** Is compatible with `TokenCredential` of `@azure/core-auth`. */
export interface ArmCredential {
  getToken(): Promise<{ token: string; expiresOnTimestamp: number }>;
}

const isPoll = (action: string) => action.includes("/locations/");

const granted: Readonly<Record<ArmRole, (action: string) => boolean>> = {
  contributor: () => true,
  writer: (action) => !isPoll(action),
  reader: (action) => action.endsWith("/read"),
  stranger: () => false,
  expired: () => false,
  forged: () => false,
};

export interface Gate {
  credential(role: ArmRole): ArmCredential;
  /** Accepts a token that somebody else has issued, as one of this role. */
  admit(token: string, role: ArmRole): void;
  /** Throws unless the header has a token with permission for the action. */
  demand(authorization: string | undefined, action: string, scope: string): void;
  /** The permissions of the role of the token's owner. */
  grantedTo(authorization: string | undefined): readonly string[];
}

/** `actions`: every action that there is. `isContributor`: whether a token that no role has is that of a contributor. */
export function gate(actions: readonly string[], isContributor: (token: string) => boolean): Gate {
  const roles = new Map<string, ArmRole>();
  const findRole = (authorization = "") => {
    const token = authorization.replace(/^Bearer /, "");
    return roles.get(token) ?? (isContributor(token) ? "contributor" : undefined);
  };
  return {
    credential(role) {
      const token = randomBytes(24).toString("base64url");
      if (role !== "forged") roles.set(token, role);
      const expiresOnTimestamp = Date.now() + 3_600_000;
      return { getToken: () => Promise.resolve({ token, expiresOnTimestamp }) };
    },
    admit: (token, role) => void roles.set(token, role),
    demand(authorization, action, scope) {
      if (authorization === undefined) throw new Refused(armErrors.noToken);
      const role = findRole(authorization);
      if (role === undefined) throw new Refused(armErrors.badToken);
      if (role === "expired") throw new Refused(armErrors.expiredToken);
      if (!granted[role](action)) throw new Refused(armErrors.noRights(action, scope));
    },
    grantedTo(authorization) {
      return actions.filter(granted[findRole(authorization) ?? "forged"]);
    },
  };
}
