import type { Consumer, Refresh } from "./consumer.ts";

export interface MemoryConsumer extends Consumer {
  /** Every refresh asked for so far, repeated ones too. */
  readonly refreshes: readonly Refresh[];
  /** While true, it cannot be asked. */
  broken: boolean;
}

export function memoryConsumer(name: string): MemoryConsumer {
  const refreshes: Refresh[] = [];
  const consumer: MemoryConsumer = {
    name,
    refreshes,
    broken: false,
    async refresh(refresh, signal) {
      await Promise.resolve();
      if (consumer.broken || signal.aborted) throw new Error(`The consumer ${name} was not asked.`);
      refreshes.push(refresh);
    },
  };
  return consumer;
}
