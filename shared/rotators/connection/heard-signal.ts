/** One signal at a time, of a connection that may outlive the call that made it. */
export interface HeardSignal {
  /** From now on this one counts, and none before; undefined: none at all. */
  listen(next: AbortSignal | undefined): void;
  current(): AbortSignal | undefined;
}

/** Calls `drop` when the signal fires that is listened to, or if it has fired already. */
export function heardSignal(first: AbortSignal, drop: () => void): HeardSignal {
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
