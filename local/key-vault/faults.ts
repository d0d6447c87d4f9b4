import type { Operation } from "./routes.ts";

/** What a fault or the request journal may know of a request. Never its body. */
export interface VaultRequest {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly name: string | undefined;
  readonly version: string | undefined;
}

export interface RequestPattern {
  readonly method?: string;
  /** One operation, or any of several such as `WRITES`. */
  readonly operation?: Operation | readonly Operation[];
  /** A whole name, or a pattern such as `/-pending$/`. */
  readonly name?: string | RegExp;
}

/** What a vault refuses to somebody who may only read. */
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
  /** Something else answers with a page of HTML, such as a gateway. Nothing takes effect. */
  | { readonly kind: "foreign-answer"; readonly status: number }
  /** The vault itself refuses. Nothing takes effect, and nothing in the vault is as the refusal says. */
  | { readonly kind: "refusal"; readonly reason: Refusal }
  /** Something happens before the request is handled as usual, such as a person who deletes the secret. What `act`
   *  itself sends to this vault can be hit like any other request. */
  | { readonly kind: "meanwhile"; readonly act: () => void | Promise<void> };

export type Refusal =
  "forbidden" | "absent" | "disabled" | "deleted" | "being-deleted" | "being-recovered";

export type Fault = FaultKind & {
  readonly match: RequestPattern | ((request: VaultRequest) => boolean);
  /** How many requests it hits; 1 unless told. */
  readonly times?: number;
};

export interface FaultHandle {
  /** How often it has hit so far. */
  readonly fired: number;
  remove(): void;
}

export interface Faults {
  /** Hits requests that come with a valid token, so that the client's first, unauthenticated
   *  probe does not use it up. The oldest fault that matches wins. */
  add(fault: Fault): FaultHandle;
  clear(): void;
}

export interface FaultPoints extends Faults {
  /** Takes one turn of the fault that hits this request. */
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
