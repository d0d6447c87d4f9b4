import { wakeAt } from "../core/decide.ts";
import { acceptExposure } from "../core/exposure.ts";
import { type Exposure, newRecord } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import { type Instant, toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";
import { untilWon } from "./until-won.ts";

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
export function expose(
  ports: Pick<Ports, "journal" | "clock">,
  target: Target,
  seen: Seen,
): Promise<Exposed> {
  return untilWon(() => commitExposure(ports, target, seen));
}

async function commitExposure(
  { journal, clock }: Pick<Ports, "journal" | "clock">,
  target: Target,
  seen: Seen,
): Promise<Exposed> {
  const found = await journal.read(target.id);
  const before = found?.record ?? newRecord(target.id);
  const now = toInstant(clock());
  const exposure = { ...seen, at: seen.at ?? now };
  const { counted, why, record } = acceptExposure(before, target, exposure, now);
  if (record !== before) {
    await journal.commit({ record, etag: found?.etag, wakeAt: wakeAt(record, now) });
  }
  return { counted, why, ...(record.nextDue !== undefined && { nextDue: record.nextDue }) };
}
