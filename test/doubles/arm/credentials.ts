import { randomBytes } from "node:crypto";
import { armErrors, Refused } from "./errors.ts";

/**
 * The callers. `contributor` may read and change servers, `writer` the same but cannot read how an operation
 * goes, `reader` may only read, `stranger` nothing; the token of `expired` is too old, that of `forged` no token.
 */
export type ArmRole = "contributor" | "writer" | "reader" | "stranger" | "expired" | "forged";

export type ArmAction =
  | "Microsoft.Sql/servers/read"
  | "Microsoft.Sql/servers/write"
  | "Microsoft.Sql/servers/azureADOnlyAuthentications/read"
  | "Microsoft.Sql/locations/serverAzureAsyncOperation/read"
  | "Microsoft.Authorization/permissions/read";

/** Is compatible with `TokenCredential` of `@azure/core-auth`. */
export interface ArmCredential {
  getToken(): Promise<{ token: string; expiresOnTimestamp: number }>;
}

const reading: readonly ArmAction[] = [
  "Microsoft.Authorization/permissions/read",
  "Microsoft.Sql/servers/read",
  "Microsoft.Sql/servers/azureADOnlyAuthentications/read",
];
const polling: readonly ArmAction[] = ["Microsoft.Sql/locations/serverAzureAsyncOperation/read"];
const writing: readonly ArmAction[] = ["Microsoft.Sql/servers/write"];

/** Everything that changing an administrator and checking it before demand. */
export const contributorActions: readonly ArmAction[] = [...reading, ...polling, ...writing];

const granted: Readonly<
  Record<"contributor" | "writer" | "reader" | "stranger", readonly ArmAction[]>
> = {
  contributor: contributorActions,
  writer: [...reading, ...writing],
  reader: [...reading, ...polling],
  stranger: [],
};

export interface Gate {
  credential(role: ArmRole): ArmCredential;
  /** Throws unless the header has a token with permission for the action. */
  demand(authorization: string | undefined, action: ArmAction, scope: string): void;
  /** The permissions of the role of the token's owner. */
  grantedTo(authorization: string | undefined): readonly ArmAction[];
}

export function gate(): Gate {
  const roles = new Map<string, ArmRole>();
  return {
    credential(role) {
      const token = randomBytes(24).toString("base64url");
      if (role !== "forged") roles.set(token, role);
      const expiresOnTimestamp = Date.now() + 3_600_000;
      return { getToken: () => Promise.resolve({ token, expiresOnTimestamp }) };
    },
    demand(authorization, action, scope) {
      if (authorization === undefined) throw new Refused(armErrors.noToken);
      const role = roles.get(authorization.replace(/^Bearer /, ""));
      if (role === undefined || role === "forged") throw new Refused(armErrors.badToken);
      if (role === "expired") throw new Refused(armErrors.expiredToken);
      if (!granted[role].includes(action)) throw new Refused(armErrors.noRights(action, scope));
    },
    grantedTo(authorization = "") {
      const role = roles.get(authorization.replace(/^Bearer /, ""));
      return role === undefined || role === "forged" || role === "expired" ? [] : granted[role];
    },
  };
}
