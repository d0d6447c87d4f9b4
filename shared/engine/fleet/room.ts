import { VaultUnavailableError } from "../../core/errors.ts";
import { goesFirst } from "../../core/record/first.ts";
import { pendingName } from "../../core/target.ts";
import { between, type Instant, plus, second } from "../../core/time.ts";
import type { Session } from "../session.ts";

/**
 * Milliseconds that a worker waits in its place; for longer it lets go of the target. What goes first waits in any case, and finds room
 * that the others have left to it.
 */
const longestWait = 7 * second;
const longestWaitOfFirst = 60 * second;

/** Room that was taken this long ago may have been given to others. */
const longestHeld = 30 * second;

/** So many others want to create versions in the vault that the rotation had better wait. Nothing was done. */
export class VaultBusyError extends VaultUnavailableError {
  readonly until: Instant;

  constructor(message: string, until: Instant) {
    super(message);
    this.until = until;
  }
}

const takenAt = new WeakMap<Session, Instant>();

/**
 * Takes room in the vaults for the pending version and for the one to be published, before anything is changed, unless this session
 * has just taken it. Waits its turn for a while. Throws VaultBusyError when that would take too long.
 */
export async function takeRoomForBoth(session: Session): Promise<void> {
  const { target } = session;
  await takeRoom(session, [pendingName(target).vault, target.publish.vault]);
}

/** The same for a rotation whose pending version is there. */
export async function takeRoomToPublish(session: Session): Promise<void> {
  await takeRoom(session, [session.target.publish.vault]);
}

async function takeRoom(session: Session, vaults: readonly string[]): Promise<void> {
  const { pace, pause } = session.ports;
  const before = takenAt.get(session);
  if (!pace || (before !== undefined && between(before, session.now()) < longestHeld)) return;
  const longest = goesFirst(session.record()) ? longestWaitOfFirst : longestWait;
  const needs = Map.groupBy(vaults, (vault) => vault);
  // Nothing is taken in one vault that another one has no room for.
  const steps = needs.size > 1 ? [() => 0, countCreates] : [countCreates];
  let pauseMs = 0;
  for (const creates of steps) {
    for (const [vault, needed] of needs) {
      const wait = await pace.take(vault, creates(needed), longest);
      if (wait > longest) throw busy(vault, plus(session.now(), wait));
      pauseMs = Math.max(pauseMs, wait);
    }
  }
  if (pauseMs > 0) await pause(pauseMs);
  takenAt.set(session, session.now());
}

function busy(vault: string, until: Instant): VaultBusyError {
  const message = `vault ${vault} is busy: its limit on new versions is used up until about ${until}`;
  return new VaultBusyError(message, until);
}

const countCreates = (needed: readonly string[]): number => needed.length;
