import type { Instant } from "../../time.ts";

/** The facts from which a due moment is computed. The journal stores all of them. */
export interface Facts {
  readonly targetId: string;
  /** The last successful change by anyone. Absent if no change is known. */
  readonly changedAt?: Instant;
  /** The first exposure since the last change. */
  readonly exposedAt?: Instant;
  /** The identity that saw the secret. */
  readonly exposureBy?: string;
  /** A breach lifts the freezes that list it. Absent: `exposure`. */
  readonly exposureKind?: "exposure" | "breach";
  readonly lastUsedAt?: Instant;
  /** When an existing credential was verified and adopted. */
  readonly adoptedAt?: Instant;
  /** When the system ends the secret. Absent: it does not, or nobody knows when. */
  readonly endsAt?: Instant;
}

/** The facts, with moments in milliseconds since the epoch. */
export interface Moments {
  readonly changedAt: number | undefined;
  readonly exposedAt: number | undefined;
  readonly exposureBy: string | undefined;
  readonly exposureKind: "exposure" | "breach";
  readonly lastUsedAt: number | undefined;
  readonly adoptedAt: number | undefined;
  readonly endsAt: number | undefined;
}

export function toMoments(facts: Facts): Moments {
  return {
    changedAt: parseMoment(facts.changedAt),
    exposedAt: parseMoment(facts.exposedAt),
    exposureBy: facts.exposureBy,
    exposureKind: facts.exposureKind ?? "exposure",
    lastUsedAt: parseMoment(facts.lastUsedAt),
    adoptedAt: parseMoment(facts.adoptedAt),
    endsAt: parseMoment(facts.endsAt),
  };
}

function parseMoment(instant: Instant | undefined): number | undefined {
  return instant === undefined ? undefined : Date.parse(instant);
}
