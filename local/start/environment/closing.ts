/** What has to be closed, last begun first closed. */
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

/** Waits for all of them even if one fails, so that whatever was started by then is known. */
export async function together<A, B, C>(
  tasks: readonly [Promise<A>, Promise<B>, Promise<C>],
): Promise<[A, B, C]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}
