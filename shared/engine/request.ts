import { wakeAt } from "../core/decide.ts";
import { ConfigError, LeaseLostError } from "../core/errors.ts";
import { acceptRequest } from "../core/request.ts";
import { newRecord, type Reason } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";

export interface Wanted {
  readonly reason: Reason;
  readonly requestedBy: string;
  /** Milliseconds that the superseded secret of a pair stays valid, instead of what the target says. */
  readonly grace?: number;
  /** The same key for the same target always leads to the same rotation. */
  readonly key?: string;
}

/** Loses at most so many races for the record before it gives up; each lost race is somebody else's success. */
const mostRaces = 10;

/**
 * Makes a rotation due now and returns its id. Durable when it returns: whatever dies afterwards, the sweep finds
 * it. The change itself is left to whoever claims the target.
 */
export async function requestRotation(
  ports: Pick<Ports, "journal" | "clock" | "newId">,
  target: Target,
  wanted: Wanted,
): Promise<string> {
  mustKeepGrace(target, wanted);
  for (let race = 1; ; race++) {
    const known = wanted.key !== undefined && (await ports.journal.request(target.id, wanted.key));
    if (known) return known;
    try {
      return await commitRequest(ports, target, wanted);
    } catch (error) {
      if (!(error instanceof LeaseLostError) || race >= mostRaces) throw error;
    }
  }
}

/** What cannot be kept must not be promised. */
function mustKeepGrace({ id, slots, authority }: Target, { grace }: Wanted): void {
  if (grace === undefined) return;
  if (slots.length < 2) {
    throw new ConfigError(
      `${id} has one account, whose old password ends with the change: leave grace out`,
    );
  }
  if (authority.as === "self") {
    throw new ConfigError(
      `the accounts of ${id} change themselves, so nobody can end an old password before its turn: leave grace out`,
    );
  }
}

async function commitRequest(
  { journal, clock, newId }: Pick<Ports, "journal" | "clock" | "newId">,
  target: Target,
  { reason, requestedBy, grace, key }: Wanted,
): Promise<string> {
  const found = await journal.read(target.id);
  const now = toInstant(clock());
  const wish = { rotationId: newId(), reason, requestedBy, at: now };
  const { record, rotationId, run } = acceptRequest(
    found?.record ?? newRecord(target.id),
    grace === undefined ? wish : { ...wish, grace },
    now,
  );
  await journal.commit({
    record,
    etag: found?.etag,
    wakeAt: wakeAt(record, now),
    ...(run && { runs: [run] }),
    ...(key !== undefined && { request: { key, rotationId } }),
  });
  return rotationId;
}
