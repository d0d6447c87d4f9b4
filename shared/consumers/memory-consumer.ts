import type { Consumer, Refresh } from "./consumer.ts";

export interface MemoryConsumer extends Consumer {
  /** Every refresh requested so far, including repeated ones. */
  readonly refreshes: readonly Refresh[];
  /** While true, the consumer cannot be reached. */
  broken: boolean;
}

export function makeMemoryConsumer(name: string): MemoryConsumer {
  const refreshes: Refresh[] = [];
  const consumer: MemoryConsumer = {
    name,
    refreshes,
    broken: false,
    async refresh(refresh, signal) {
      await Promise.resolve();
      if (consumer.broken || signal.aborted)
        throw new Error(`The consumer ${name} was not reached.`);
      refreshes.push(refresh);
    },
  };
  return consumer;
}
