import { formatDuration } from "../../core/time.ts";

export interface ConnectLimit {
  /** Why there is no connection, if it is this limit that gave up; for messages. */
  reached(): string | undefined;
  /** The connection is there, or has failed: nothing is given up any more. */
  end(): void;
}

/** Calls `giveUp` after so many milliseconds, unless it is ended before; never, when there are none. */
export function connectLimit(within: number | undefined, giveUp: () => void): ConnectLimit {
  if (within === undefined) return { reached: () => undefined, end: () => undefined };
  let isReached = false;
  const timer = setTimeout(() => {
    isReached = true;
    giveUp();
  }, within);
  return {
    reached: () =>
      isReached
        ? `no connection within ${formatDuration(within)}, as timeouts.connect wants it`
        : undefined,
    end: () => {
      clearTimeout(timer);
    },
  };
}
