import { VaultUnavailableError } from "../core/errors.ts";
import { pendingName } from "../core/target.ts";
import { between, type Instant, plus, second } from "../core/time.ts";
import type { Session } from "./session.ts";

/** Milliseconds that a worker waits in its place; for longer it lets go of the target. */
const longestWait = 10 * second;

/** Room that was taken this long ago may have been given to others. */
const longestHeld = 30 * second;

/** So many others want to create versions in the vault that the rotation had better wait. Nothing was done. */
export class VaultBusyError extends VaultUnavailableError {
  readonly until: Instant;

  constructor(vault: string, until: Instant) {
    super(`vault ${vault} is busy: its limit on new versions is used up until about ${until}`);
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
  let longest = 0;
  for (const vault of new Set(vaults)) {
    const creates = vaults.filter((one) => one === vault).length;
    const wait = await pace.take(vault, creates, longestWait);
    if (wait > longestWait) throw new VaultBusyError(vault, plus(session.now(), wait));
    longest = Math.max(longest, wait);
  }
  if (longest > 0) await pause(longest);
  takenAt.set(session, session.now());
}
