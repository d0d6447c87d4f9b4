/** Processes added items in order, at most `count` at a time, until `stopping` fires. */
export function createLanes<Item>(
  count: number,
  stopping: AbortSignal,
  work: (item: Item) => Promise<void>,
): (item: Item) => void {
  const ready: Item[] = [];
  let busy = 0;
  const pump = (): void => {
    while (busy < count && !stopping.aborted) {
      const item = ready.shift();
      if (item === undefined) return;
      busy += 1;
      void work(item).finally(() => {
        busy -= 1;
        pump();
      });
    }
  };
  return (item) => {
    ready.push(item);
    pump();
  };
}

export type Later = (ms: number, act: () => void) => void;

/** Collects items in groups and releases each group last to first; a group that is not full is released `waitMs` after its first item. */
export function createReversedGroups<Item>(
  size: number,
  waitMs: number,
  later: Later,
  release: (item: Item) => void,
): (item: Item) => void {
  let open: Item[] = [];
  const flush = (group: Item[]): void => {
    if (group !== open || group.length === 0) return;
    open = [];
    group.toReversed().forEach(release);
  };
  return (item) => {
    const group = open;
    group.push(item);
    if (group.length >= size) flush(group);
    else if (group.length === 1) {
      later(waitMs, () => {
        flush(group);
      });
    }
  };
}
