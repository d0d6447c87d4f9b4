import { VaultUnavailableError } from "../../core/errors.ts";
import { goesFirst } from "../../core/record/first.ts";
import { toPendingName } from "../../core/target.ts";
import { between, type Instant, plus, second } from "../../core/time.ts";
import type { TargetSession } from "../session.ts";

/**
 * Milliseconds that a worker waits for room while it holds the target; it releases the target if the wait would be longer. Urgent work
 * always waits: the vault's limit keeps some room for it.
 */
const maxWaitMs = 7 * second;
const maxUrgentWaitMs = 60 * second;

/** Milliseconds for which room that was taken stays reserved. Later, others may have it. */
const maxHeldMs = 30 * second;

/** The vault's limit on new versions is used up, so the rotation must wait. Nothing was changed. */
export class VaultBusyError extends VaultUnavailableError {
  readonly until: Instant;

  constructor(message: string, until: Instant) {
    super(message);
    this.until = until;
  }
}

const takenAt = new WeakMap<TargetSession, Instant>();

/**
 * Reserves room in the vaults for the pending version and the published one, before anything is changed, unless this session has just
 * reserved it. Waits up to `maxWaitMs`. Throws VaultBusyError when the wait would be longer.
 */
export async function takeRoomForBoth(session: TargetSession): Promise<void> {
  const { target } = session;
  await takeRoom(session, [toPendingName(target).vault, target.publish.vault]);
}

/** Reserves room for the published version of a rotation whose pending version exists. */
export async function takeRoomToPublish(session: TargetSession): Promise<void> {
  await takeRoom(session, [session.target.publish.vault]);
}

async function takeRoom(session: TargetSession, vaults: readonly string[]): Promise<void> {
  const { pace, pause } = session.ports;
  const before = takenAt.get(session);
  if (!pace || (before !== undefined && between(before, session.now()) < maxHeldMs)) return;
  const maxMs = goesFirst(session.record()) ? maxUrgentWaitMs : maxWaitMs;
  const needs = Map.groupBy(vaults, (vault) => vault);
  // With two vaults, check both first, so that no room is taken in one while the other has none.
  const steps = needs.size > 1 ? [() => 0, countCreates] : [countCreates];
  let pauseMs = 0;
  for (const creates of steps) {
    for (const [vault, needed] of needs) {
      const wait = await pace.take(vault, creates(needed), maxMs);
      if (wait > maxMs) throw busy(vault, plus(session.now(), wait));
      pauseMs = Math.max(pauseMs, wait);
    }
  }
  if (pauseMs > 0) await pause(pauseMs);
  takenAt.set(session, session.now());
}

function busy(vault: string, until: Instant): VaultBusyError {
  const message = `vault ${vault} accepts no more new versions until about ${until}, because the limit of the vault is used up; the rotation waits until then`;
  return new VaultBusyError(message, until);
}

const countCreates = (needed: readonly string[]): number => needed.length;
