import { LeaseLostError } from "../core/errors.ts";

/** Each lost race is somebody else's success, so that this many in a row are hardly ever seen. */
const mostRaces = 10;

/** Reads, decides and writes again, as `attempt` does, until nobody was quicker. Gives up with LeaseLostError. */
export async function untilWon<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let race = 1; ; race++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LeaseLostError) || race >= mostRaces) throw error;
    }
  }
}
