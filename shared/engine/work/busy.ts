import type { Target } from "../../core/target.ts";
import { toServerName } from "../fleet/turn.ts";
import type { Ports } from "../ports.ts";
import type { TargetSession } from "../session.ts";

/** The target cannot be claimed now. */
export interface Busy {
  /** A sentence for the caller. */
  readonly busy: string;
}

export const busyWith = ({ id }: Target): Busy => ({
  busy: `A worker is working on target ${id}. Nothing was tried. Try again.`,
});

/** How often a busy target is tried before the caller must try again, and the longest pause between two tries in milliseconds. */
const maxTries = 4;
const maxPauseMs = 1_000;

/** Repeats `attempt` while the target is busy, with random pauses. */
export async function retryWhileBusy<Result>(
  { randomBytes, pause }: Pick<Ports, "randomBytes" | "pause">,
  attempt: () => Promise<Result>,
  isBusy: (result: Result) => boolean,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    const result = await attempt();
    if (!isBusy(result) || tries >= maxTries) return result;
    const [draw = 0] = randomBytes(1);
    await pause((maxPauseMs * (draw + 1)) / 256);
  }
}

/** Does this in a turn at the server. A person waits, so a server that was silent a moment ago is contacted again at once. */
export async function inUrgentTurn<Result>(
  { ports, target }: TargetSession,
  act: () => Promise<Result>,
): Promise<Result | Busy> {
  const turn = await ports.servers?.enter(toServerName(ports, target), true);
  if (turn && "why" in turn) return { busy: `Target ${target.id}: ${turn.why}. Try again.` };
  try {
    return await act();
  } finally {
    turn?.leave();
  }
}
