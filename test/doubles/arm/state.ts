import type { FaultyServer } from "../faults.ts";
import type { Gate } from "./credentials.ts";
import { armErrors, type ArmRefusal, Refused } from "./errors.ts";
import type { Operations } from "./operations.ts";

/**
 * What faults can be armed on: the requests, and `operation`, the work that goes on after a PATCH was
 * accepted: `refuse` lets it end as Failed, `hang` never end.
 */
export type ArmEffect = "get" | "entraOnly" | "permissions" | "patch" | "poll" | "operation";

export interface SqlServer {
  readonly name: string;
  readonly resourceGroup: string;
  readonly administratorLogin: string;
  /** Entra-only authentication: no password log-in, and no change of the password. */
  readonly entraOnly?: boolean;
  /** Default `Ready`. */
  readonly state?: string;
  /** Default `<name>.database.windows.net`. */
  readonly fullyQualifiedDomainName?: string;
  /** Where a new password takes effect. */
  readonly setPassword?: (login: string, password: string) => void;
}

/** The permissions of role assignments, as patterns with `*`. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

export interface ArmState {
  readonly subscriptionId: string;
  readonly servers: readonly SqlServer[];
  readonly gate: Gate;
  readonly operations: Operations;
  readonly faults: FaultyServer<ArmEffect, ArmRefusal>;
  readonly effectAt: "acceptance" | "completion";
  readonly ticks: number;
  readonly permissions: readonly Permission[] | undefined;
  readonly retryAfter: number;
  /** Passwords that took effect, per server. */
  readonly landed: Map<string, number>;
}

export interface ArmRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The names in the path of a request. */
export interface Place {
  readonly scope: string;
  readonly subscription: string;
  readonly group: string;
  readonly name: string;
}

/** Finds the server in the path, and moves its operation on by one tick. */
export function findServer(state: ArmState, { subscription, group, name }: Place): SqlServer {
  const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  if (!same(subscription, state.subscriptionId)) {
    throw new Refused(armErrors.noSuchSubscription(subscription));
  }
  const inGroup = state.servers.filter((server) => same(server.resourceGroup, group));
  if (inGroup.length === 0) throw new Refused(armErrors.noSuchGroup(group));
  const server = inGroup.find((one) => same(one.name, name));
  if (server === undefined) {
    throw new Refused(armErrors.noSuchResource(`Microsoft.Sql/servers/${name}`, group));
  }
  state.operations.tick(server.name);
  return server;
}

export function described({ subscriptionId }: ArmState, server: SqlServer): object {
  const { name, resourceGroup, administratorLogin, entraOnly: aadOnly = false } = server;
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Sql/servers/${name}`,
    name,
    type: "Microsoft.Sql/servers",
    location: "westeurope",
    kind: "v12.0",
    properties: {
      administratorLogin,
      version: "12.0",
      state: server.state ?? "Ready",
      fullyQualifiedDomainName: server.fullyQualifiedDomainName ?? `${name}.database.windows.net`,
      publicNetworkAccess: "Enabled",
      ...(aadOnly ? { administrators: { azureADOnlyAuthentication: true } } : {}),
    },
  };
}
