/**
 * The number of trials that the check of a configuration may still make. It counts trials and not time, so that the same
 * configuration has the same warnings on every machine.
 */
export interface Effort {
  left: number;
}

/** The maximum number of simulated rotations for one policy, and for all of a configuration: some seconds of work. */
const maxTrialsPerPolicy = 150_000;
const maxTrials = 500_000;
/** The cost of hours that are not in the cache yet. */
const costOfHours = 500;

export function newEffort(): Effort {
  return { left: maxTrials };
}

class EffortSpentError extends Error {
  override readonly name = "EffortSpentError";
}

/** Counts one simulated rotation. */
export function spend(effort: Effort): void {
  if (effort.left <= 0) throw new EffortSpentError();
  effort.left--;
}

/** Runs a trial. Undefined when it exceeds the effort for one policy, or the remaining effort for all. */
export function attempt<Found>(
  all: Effort,
  trial: (effort: Effort) => Found,
): { readonly found: Found } | undefined {
  const own: Effort = { left: Math.min(all.left - costOfHours, maxTrialsPerPolicy) };
  const given = own.left;
  try {
    return { found: trial(own) };
  } catch (error) {
    if (!(error instanceof EffortSpentError)) throw error;
    return undefined;
  } finally {
    all.left -= costOfHours + given - own.left;
  }
}
