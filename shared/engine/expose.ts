import { acceptExposure } from "../core/exposure.ts";
import type { Exposure } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import type { Instant } from "../core/time.ts";
import type { Ports } from "./ports.ts";
import { report } from "./report.ts";

/** A report that somebody saw the secret of a target. */
export type Seen = Omit<Exposure, "at"> & { readonly at?: Instant };

/** What a report leads to. */
export interface Exposed {
  /** Whether it makes a change due that would not have been. */
  readonly counted: boolean;
  readonly why: string;
  readonly nextDue?: Instant;
}

/** Starts the exposure clock of a target. Durable when it returns. */
export async function expose(
  ports: Pick<Ports, "journal" | "clock">,
  target: Target,
  seen: Seen,
): Promise<Exposed> {
  const { counted, why, record } = await report(ports, target, (before, now) =>
    acceptExposure(before, target, { ...seen, at: seen.at ?? now }, now),
  );
  return { counted, why, ...(record.nextDue !== undefined && { nextDue: record.nextDue }) };
}
