import { formatDuration } from "../../../core/time.ts";

export interface ConnectLimit {
  /** Says, for messages, that this limit ended the attempt; undefined otherwise. */
  reached(): string | undefined;
  /** Ends the limit, because the connection is open or has failed. */
  end(): void;
}

/** Calls `giveUp` after that many milliseconds, unless it is ended before. Without a number, it never does. */
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
        ? `connecting timed out after ${formatDuration(within)} (timeouts.connect)`
        : undefined,
    end: () => {
      clearTimeout(timer);
    },
  };
}
