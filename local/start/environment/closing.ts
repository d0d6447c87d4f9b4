/** Collects what must be closed. The last added is closed first. */
export interface Closing {
  add(close: () => Promise<void>): void;
  /** Closes everything, even if some of it fails; throws the first failure. Safe to repeat. */
  close(): Promise<void>;
}

export function createClosing(): Closing {
  const closers: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const close of closers.reverse()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    add: (close) => void closers.push(close),
    close: () => (closing ??= closeAll()),
  };
}

/** Waits for all tasks even if one fails, so that everything they started can be closed. */
export async function runTogether<A, B, C>(
  tasks: readonly [Promise<A>, Promise<B>, Promise<C>],
): Promise<[A, B, C]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}
