/** The current signal of a connection that may outlive the call that made it. */
export interface HeardSignal {
  /** Replaces the current signal; undefined removes it. */
  listen(next: AbortSignal | undefined): void;
  current(): AbortSignal | undefined;
}

/** Calls `drop` when the current signal fires, or if it has already fired. */
export function hearSignal(first: AbortSignal, drop: () => void): HeardSignal {
  let heard: AbortSignal | undefined;
  const listen = (next: AbortSignal | undefined) => {
    heard?.removeEventListener("abort", drop);
    heard = next;
    heard?.addEventListener("abort", drop, { once: true });
    if (heard?.aborted) drop();
  };
  listen(first);
  return { listen, current: () => heard };
}

/** Whether the signal has fired. TypeScript would narrow the property, although it can change during any await. */
export function hasFired(signal: AbortSignal): boolean {
  return signal.aborted;
}
