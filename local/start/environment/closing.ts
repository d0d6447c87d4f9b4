/** Collects what must be closed. The last added is closed first. */
export function createClosing() {
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
    add: (close: () => Promise<void>): void => void closers.push(close),
    /** Closes everything, even if some of it fails; throws the first failure. Safe to repeat. */
    close: (): Promise<void> => (closing ??= closeAll()),
  };
}

export type Closing = ReturnType<typeof createClosing>;
