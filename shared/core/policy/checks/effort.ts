/**
 * How much the check of a configuration may still try out. It counts what is tried and not time, so that the same
 * configuration has the same warnings on every machine.
 */
export interface Effort {
  left: number;
}

/** Rotations that may be tried out for one policy, and for all of a configuration: some seconds of work. */
const mostOfOne = 150_000;
const mostOfAll = 500_000;
/** What it costs to read hours that have not been met before. */
const costOfHours = 500;

export function newEffort(): Effort {
  return { left: mostOfAll };
}

class EffortSpentError extends Error {
  override readonly name = "EffortSpentError";
}

/** Counts one that is tried out. */
export function spend(effort: Effort): void {
  if (effort.left <= 0) throw new EffortSpentError();
  effort.left--;
}

/** What a trial finds out; undefined when the effort for one policy, or for all, is spent before it is done. */
export function attempt<Found>(
  all: Effort,
  trial: (effort: Effort) => Found,
): { readonly found: Found } | undefined {
  const own: Effort = { left: Math.min(all.left - costOfHours, mostOfOne) };
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
