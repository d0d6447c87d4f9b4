import type { Operation } from "./vault-routes.ts";

/** The part of a request that a fault or the request journal may see. It has no body. */
export interface VaultRequest {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly name: string | undefined;
  readonly version: string | undefined;
}

export interface RequestPattern {
  readonly method?: string;
  /** One operation, or several, such as `WRITES`. */
  readonly operation?: Operation | readonly Operation[];
  /** A complete name, or a pattern such as `/-pending$/`. */
  readonly name?: string | RegExp;
}

/** The operations that a vault refuses to a caller with read access only. */
export const WRITES: readonly Operation[] = ["set-secret", "update-secret", "restore-secret"];

export type FaultKind =
  | { readonly kind: "lost-reply-after-effect" }
  | { readonly kind: "reset-before-effect" }
  /** Milliseconds before the request is handled as usual. */
  | { readonly kind: "latency"; readonly ms: number }
  /** `retryAfter` in seconds. Nothing takes effect. */
  | {
      readonly kind: "status";
      readonly status: 429 | 500 | 503;
      readonly retryAfter?: number;
    }
  /** A gateway answers with an HTML page instead of the vault. Nothing takes effect. */
  | { readonly kind: "foreign-answer"; readonly status: number }
  /** The vault refuses the request. Nothing takes effect, and the refusal does not match the state of the vault. */
  | { readonly kind: "refusal"; readonly reason: Refusal }
  /**
   * Runs `act` before the request is handled as usual; for example, a person deletes the secret. Faults also apply to requests that
   * `act` sends to this vault.
   */
  | { readonly kind: "meanwhile"; readonly act: () => void | Promise<void> };

export type Refusal =
  "forbidden" | "absent" | "disabled" | "deleted" | "being-deleted" | "being-recovered";

export type Fault = FaultKind & {
  readonly match: RequestPattern | ((request: VaultRequest) => boolean);
  /** How many requests it affects. Default: 1. */
  readonly times?: number;
};

export interface FaultHandle {
  /** How many requests it has affected so far. */
  readonly fired: number;
  remove(): void;
}

export interface Faults {
  /**
   * Adds a fault for requests with a valid token, so that the client's first, unauthenticated request does not use it up. The
   * oldest matching fault applies.
   */
  add(fault: Fault): FaultHandle;
  clear(): void;
}

export interface FaultPoints extends Faults {
  /** Returns the fault that affects this request, and counts it. */
  hit(request: VaultRequest): Fault | undefined;
}

export function createFaults(): FaultPoints {
  const placed = new Set<{ fault: Fault; fired: number }>();
  return {
    add(fault) {
      const place = { fault, fired: 0 };
      placed.add(place);
      return {
        get fired() {
          return place.fired;
        },
        remove: () => placed.delete(place),
      };
    },
    clear() {
      placed.clear();
    },
    hit(request) {
      for (const place of placed) {
        if (place.fired >= (place.fault.times ?? 1) || !matches(place.fault, request)) continue;
        place.fired += 1;
        return place.fault;
      }
      return undefined;
    },
  };
}

function matches({ match }: Fault, request: VaultRequest): boolean {
  if (typeof match === "function") return match(request);
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.operation === undefined || [match.operation].flat().includes(request.operation)) &&
    (match.name === undefined || nameMatches(match.name, request.name ?? ""))
  );
}

const nameMatches = (wanted: string | RegExp, name: string): boolean =>
  typeof wanted === "string"
    ? wanted.toLowerCase() === name.toLowerCase()
    : new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, "")).test(name);
