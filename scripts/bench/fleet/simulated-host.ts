import type { Operations } from "../../../shared/engine/operations.ts";
import { hostSettings } from "../world/host-settings.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { Received, SimulatedQueue } from "./simulated-queue.ts";

/** One instance of the Functions host. */
export interface SimulatedHost {
  /** The maximum number of messages in work. */
  readonly most: number;
  /** The number of messages in work now. */
  running(): number;
  /** Milliseconds of work, summed over all messages. */
  worked(): number;
}

/** Takes messages from the queue like the host, without end. */
export function simulatedHost(
  clock: SimulatedClock,
  queue: SimulatedQueue,
  app: Operations,
): SimulatedHost {
  const { batchSize, newBatchThreshold, pollMs } = hostSettings();
  let [running, worked] = [0, 0];
  let wake = Promise.withResolvers<undefined>();

  async function work(received: Received): Promise<void> {
    running += 1;
    const began = clock.now();
    try {
      await app.work(received.message);
      await received.done();
    } finally {
      running -= 1;
      worked += clock.now() - began;
      wake.resolve(undefined);
    }
  }

  async function pull(): Promise<never> {
    let idleMs = pollMs[0];
    for (;;) {
      if (running > newBatchThreshold) {
        wake = Promise.withResolvers();
        await wake.promise;
        continue;
      }
      const received = await queue.receive(batchSize);
      for (const one of received) void work(one);
      idleMs = received.length > 0 ? pollMs[0] : Math.min(2 * idleMs, pollMs[1]);
      if (received.length === 0) await clock.sleep(idleMs);
    }
  }

  void pull();
  return { most: batchSize + newBatchThreshold, running: () => running, worked: () => worked };
}

/** Runs the timer of the host: one sweep at a time, on one instance. */
export async function sweepForEver(clock: SimulatedClock, app: Operations): Promise<never> {
  const distance = 60_000;
  for (;;) {
    await app.sweep();
    await clock.sleep(distance - (clock.now() % distance));
  }
}
