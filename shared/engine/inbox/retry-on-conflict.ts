import { LeaseLostError } from "../../core/errors.ts";
import { second } from "../../core/time.ts";
import type { Ports } from "../ports.ts";

/** Each lost race is another writer's success, so only many concurrent writers can cause this many in a row. */
const maxConflicts = 20;

/** Milliseconds of the first pause. */
const firstPauseMs = 25;
const maxPauseMs = second;

/**
 * Repeats `attempt`, which reads, decides and writes, until no other writer wins the race. Between two races it pauses
 * for a random time, so that writers that lost together do not collide again. Throws LeaseLostError after `maxConflicts` races.
 */
export async function retryOnConflict<Result>(
  { pause, randomBytes }: Pick<Ports, "pause" | "randomBytes">,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let race = 1; ; race++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LeaseLostError) || race >= maxConflicts) throw error;
      await pause(pauseAfter(race, randomBytes));
    }
  }
}

/** Returns a random number of milliseconds, from 0 to a limit that doubles with each lost race, up to a second. */
function pauseAfter(race: number, randomBytes: Ports["randomBytes"]): number {
  const limit = Math.min(firstPauseMs * 2 ** (race - 1), maxPauseMs);
  const [high = 0, low = 0] = randomBytes(2);
  return Math.round((limit * (high * 256 + low)) / 65_535);
}
