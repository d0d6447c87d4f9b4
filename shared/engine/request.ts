import { wakeAt } from "../core/decide.ts";
import { ConfigError } from "../core/errors.ts";
import { groundsOf } from "../core/permit.ts";
import { acceptRequest } from "../core/request.ts";
import { newRecord, type Reason } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";
import { replan } from "./replan.ts";
import { untilWon } from "./until-won.ts";

export interface Wanted {
  readonly reason: Reason;
  readonly requestedBy: string;
  /** Milliseconds that the superseded secret of a pair stays valid, instead of what the target says. */
  readonly grace?: number;
  /** The same key for the same target always leads to the same rotation. */
  readonly key?: string;
}

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
  return untilWon(
    async () =>
      (await rotationOf(ports, target, wanted)) ?? (await commitRequest(ports, target, wanted)),
  );
}

/** An idempotency key came again for something else than it was used for: one of the two would be swallowed. */
export class KeyReusedError extends Error {
  override readonly name = "KeyReusedError";
}

/** The rotation that the idempotency key of this very request has led to. Throws KeyReusedError. */
async function rotationOf(
  { journal }: Pick<Ports, "journal">,
  target: Target,
  wanted: Wanted,
): Promise<string | undefined> {
  const known = wanted.key === undefined ? undefined : await journal.request(target.id, wanted.key);
  if (known && known.asked !== askedFor(wanted)) {
    throw new KeyReusedError(`This Idempotency-Key was used for another request to ${target.id}`);
  }
  return known?.rotationId;
}

function askedFor({ reason, grace }: Wanted): string {
  return grace === undefined ? reason : `${reason}, grace ${grace} ms`;
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
  wanted: Wanted,
): Promise<string> {
  const { reason, requestedBy, grace, key } = wanted;
  const found = await journal.read(target.id);
  const now = toInstant(clock());
  const before = found?.record ?? replan(newRecord(target.id), target, now);
  const wish = { rotationId: newId(), reason, requestedBy, at: now };
  const { record, rotationId, run } = acceptRequest(
    before,
    grace === undefined ? wish : { ...wish, grace },
    groundsOf(wish, before, target, now),
    now,
  );
  await journal.commit({
    record,
    etag: found?.etag,
    wakeAt: wakeAt(record, now),
    ...(run && { runs: [run] }),
    ...(key !== undefined && { request: { key, rotationId, asked: askedFor(wanted) } }),
  });
  return rotationId;
}
