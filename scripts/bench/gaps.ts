import type { Moment } from "./world/counting.ts";

/** The time in which a password that was changed on the server was not yet published, so that consumers were refused. */
export interface Gap {
  readonly name: string;
  readonly lengthMs: number;
  /** Whether it had ended when the measurement did. */
  readonly isOver: boolean;
}

/**
 * Accounts and the secrets that publish them have the same names. A gap begins with the first change since the last
 * publication: when the server was changed again meanwhile, consumers were refused all the time.
 */
export function findGaps(
  changed: readonly Moment[],
  written: readonly Moment[],
  endedAt: number,
): readonly Gap[] {
  const published = Map.groupBy(written, ({ name }) => name);
  const gaps: Gap[] = [];
  for (const [name, changes] of Map.groupBy(changed, (moment) => moment.name)) {
    const versions = inOrder(published.get(name) ?? []);
    let closedAt = -Infinity;
    for (const at of inOrder(changes)) {
      if (at < closedAt) continue;
      const end = versions.find((version) => version >= at);
      closedAt = end ?? Infinity;
      gaps.push({ name, lengthMs: (end ?? endedAt) - at, isOver: end !== undefined });
    }
  }
  return gaps;
}

const inOrder = (moments: readonly Moment[]) =>
  moments.map(({ at }) => at).toSorted((a, b) => a - b);
