import type { Moment } from "./world/counting.ts";

/** The time between the change of a password on the server and its publication, in which consumers are refused. */
export interface Gap {
  readonly name: string;
  readonly lengthMs: number;
  /** Whether it ended before the measurement did. */
  readonly isOver: boolean;
}

/**
 * Finds the gaps. An account and its secret have the same name. A gap begins with the first change after a publication: further
 * changes only prolong the time in which consumers are refused.
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
