import type { Instant } from "../../time.ts";

/** What a due moment is computed from. The journal knows all of it. */
export interface Facts {
  readonly targetId: string;
  /** The last successful change, by whomever; absent when nobody knows of one. */
  readonly changedAt?: Instant;
  /** The first exposure since the last change. */
  readonly exposedAt?: Instant;
  /** Who saw the secret. */
  readonly exposureBy?: string;
  /** A breach lifts the freezes that say so; an exposure when absent. */
  readonly exposureKind?: "exposure" | "breach";
  readonly lastUsedAt?: Instant;
  /** When an existing credential was found to work and taken under management. */
  readonly adoptedAt?: Instant;
}

/** The same in milliseconds since the epoch. */
export interface Moments {
  readonly changedAt: number | undefined;
  readonly exposedAt: number | undefined;
  readonly exposureBy: string | undefined;
  readonly exposureKind: "exposure" | "breach";
  readonly lastUsedAt: number | undefined;
  readonly adoptedAt: number | undefined;
}

export function toMoments(facts: Facts): Moments {
  return {
    changedAt: parseMoment(facts.changedAt),
    exposedAt: parseMoment(facts.exposedAt),
    exposureBy: facts.exposureBy,
    exposureKind: facts.exposureKind ?? "exposure",
    lastUsedAt: parseMoment(facts.lastUsedAt),
    adoptedAt: parseMoment(facts.adoptedAt),
  };
}

function parseMoment(instant: Instant | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant);
}
