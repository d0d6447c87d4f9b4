import type { FaultyServer } from "../../faults.ts";
import type { Gate } from "./credentials.ts";
import { type ArmAnswer, armErrors, type ArmRefusal, Refused } from "./errors.ts";
import type { ArmKeys } from "./key-store.ts";
import type { Operations } from "./operations.ts";

/**
 * What faults can be armed on: the requests, and `operation`, the work that goes on after a change was
 * accepted: `refuse` lets it end as Failed, `hang` never end.
 */
export type ArmEffect =
  "get" | "entraOnly" | "permissions" | "patch" | "list" | "regenerate" | "poll" | "operation";

/** One resource. What it can do depends on its service, a row of services.ts. */
export interface ArmResource {
  /** Default `sql-server`. */
  readonly service?: string;
  readonly name: string;
  readonly resourceGroup: string;
  readonly administratorLogin: string;
  /** No password log-in, and no change of the password. */
  readonly entraOnly?: boolean;
  /** Default `Ready`. */
  readonly state?: string;
  /** It gets its accounts from another server. The word is that of the service, such as AsyncReplica. */
  readonly replicationRole?: string;
  /** The keys of a service that creates them. */
  readonly keys?: ArmKeys;
  /** Further properties of a resource with keys. */
  readonly properties?: object;
  readonly kind?: string;
  /** Where a new password takes effect. */
  readonly setPassword?: (login: string, password: string) => void | Promise<void>;
}

/** What one service answers. */
export interface ArmService {
  /** Such as Microsoft.Sql/servers. */
  readonly type: string;
  /** Of its resources and of its operations. */
  readonly apiVersion: string;
  /** The kinds of its long-running operations below `locations`: their status, and their result. */
  readonly operations: {
    readonly status: string;
    readonly result: string;
    /** Whether only `Location` says how an operation goes. */
    readonly onlyLocation?: true;
  };
  readonly routes: readonly ArmRoute[];
}

export interface ArmRoute {
  readonly method: string;
  /** From the resource on, such as `/listKeys`. */
  readonly path: string;
  /** Default: that of the service. */
  readonly apiVersion?: string;
  readonly effect: ArmEffect;
  /** The right that it demands. */
  readonly action: string;
  run(call: ArmCall): ArmAnswer | Promise<ArmAnswer>;
}

/** A request that the caller may make, about a resource that exists. */
export interface ArmCall {
  readonly state: ArmState;
  readonly request: ArmRequest;
  readonly service: ArmService;
  readonly resource: ArmResource;
  readonly id: string;
}

/** The permissions of role assignments, as patterns with `*`. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

export interface ArmState {
  readonly subscriptionId: string;
  /** Deleted ones are taken out. */
  readonly resources: ArmResource[];
  readonly gate: Gate;
  readonly operations: Operations;
  readonly faults: FaultyServer<ArmEffect, ArmRefusal>;
  readonly effectAt: "acceptance" | "completion";
  readonly headers: "both" | "location";
  readonly ticks: number;
  readonly permissions: readonly Permission[] | undefined;
  readonly retryAfter: number;
  /** Passwords that took effect, per resource. */
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
  readonly subscription: string;
  readonly group: string;
  readonly name: string;
}

const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** Finds the resource in the path, and moves its operation on by one tick. */
export async function findResource(
  state: ArmState,
  type: string,
  isOfService: (resource: ArmResource) => boolean,
  { subscription, group, name }: Place,
): Promise<ArmResource> {
  if (!same(subscription, state.subscriptionId)) {
    throw new Refused(armErrors.noSuchSubscription(subscription));
  }
  const inGroup = state.resources.filter(({ resourceGroup }) => same(resourceGroup, group));
  if (inGroup.length === 0) throw new Refused(armErrors.noSuchGroup(group));
  const resource = inGroup.find((one) => same(one.name, name) && isOfService(one));
  if (resource === undefined) {
    throw new Refused(armErrors.noSuchResource(`${type}/${name}`, group));
  }
  await state.operations.tick(resource.name);
  return resource;
}

export function toId({ subscriptionId }: ArmState, type: string, resource: ArmResource): string {
  const { resourceGroup, name } = resource;
  const [provider = "", ...types] = type.split("/");
  const names = name.split("/");
  const parts = types.map((part, index) => `${part}/${names[index] ?? ""}`);
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${[provider, ...parts].join("/")}`;
}
