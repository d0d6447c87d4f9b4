import type { Target } from "../core/target.ts";
import type { Instant } from "../core/time.ts";
import { acceptUse, type Use } from "../core/use.ts";
import type { Ports } from "./ports.ts";
import { report } from "./report.ts";

/** A report that the secret of a target was used; now, when it does not say when. */
export type Used = Omit<Use, "at"> & { readonly at?: Instant };

/** What a report of a use leads to. */
export interface UseKnown {
  /** Whether it is recorded as the last use. */
  readonly counted: boolean;
  readonly why: string;
  readonly lastUsedAt?: Instant;
  readonly nextDue?: Instant;
}

/** Records that the secret of a target was used. Durable when it returns. */
export async function recordUse(
  ports: Pick<Ports, "journal" | "clock">,
  target: Target,
  used: Used,
): Promise<UseKnown> {
  const { counted, why, record } = await report(ports, target, (before, now) =>
    acceptUse(before, target, { ...used, at: used.at ?? now }, now),
  );
  const { lastUsedAt, nextDue } = record;
  return {
    counted,
    why,
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(nextDue !== undefined && { nextDue }),
  };
}
