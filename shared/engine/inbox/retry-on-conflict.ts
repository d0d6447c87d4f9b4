import { LeaseLostError } from "../../core/errors.ts";
import { second } from "../../core/time.ts";
import type { Ports } from "../ports.ts";

/** Each lost race is another writer's success, so this many in a row need a crowd of writers. */
const maxConflicts = 20;

/** Milliseconds. */
const firstPause = 25;
const longestPause = second;

/**
 * Reads, decides and writes again, as `attempt` does, until no other writer was quicker. Between two races it pauses
 * for a random time, so that writers that lost together do not meet again. Gives up with LeaseLostError.
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

/** Milliseconds: any time from 0 to a limit that doubles with each lost race, up to a second. */
function pauseAfter(race: number, randomBytes: Ports["randomBytes"]): number {
  const limit = Math.min(firstPause * 2 ** (race - 1), longestPause);
  const [high = 0, low = 0] = randomBytes(2);
  return Math.round((limit * (high * 256 + low)) / 65_535);
}
