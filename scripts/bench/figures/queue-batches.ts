import type { Figure } from "../figure.ts";
import { number } from "../output/format-table.ts";
import { median } from "../output/statistics.ts";
import { playRound, type Round } from "../rounds.ts";
import { startForwarders } from "../world/forwarders.ts";
import type { Batch } from "../world/host-settings.ts";
import { startWorld, type World } from "../world/world.ts";

/** From one rotation at a time to 24. The values of `host.json` are in the middle. */
const batches: readonly Batch[] = [
  { batchSize: 1, newBatchThreshold: 0 },
  { batchSize: 2, newBatchThreshold: 1 },
  { batchSize: 4, newBatchThreshold: 2 },
  { batchSize: 8, newBatchThreshold: 4 },
  { batchSize: 16, newBatchThreshold: 8 },
];
const measuredRounds = 3;
/** At most two workers use one server, so there must be enough servers for 24 workers. */
const servers = 12;
const limitMs = 180_000;

interface Measured extends Round {
  readonly rssBytes: number;
}

/**
 * Measures what one instance gains from more messages at a time. The settings take turns in each round, so that a slow moment of the
 * machine meets all of them.
 */
export const queueBatches: Figure = {
  name: "queue-batches",
  about: "one instance with other values of batchSize and newBatchThreshold",
  async measure({ rotations = 120, say }) {
    const world = await startWorld(rotations);
    const { port, caFile } = world.database;
    const forwarders = await startForwarders(port, servers);
    try {
      for (const [index, own] of forwarders.ports.entries()) {
        const some = world.ids.filter((_, at) => at % servers === index);
        await world.move(some, { host: "127.0.0.1", port: own, caFile });
      }
      const measured = batches.map((): Measured[] => []);
      for (let round = 1; round <= measuredRounds; round++) {
        for (const [index, batch] of batches.entries()) {
          say(`round ${round} of ${measuredRounds}, batchSize ${batch.batchSize}`);
          measured[index]?.push(await play(world, batch));
        }
      }
      return { grids: [[head, ...batches.map((batch, at) => toLine(batch, measured[at] ?? []))]] };
    } finally {
      await world.close();
      await forwarders.close();
    }
  },
};

const head = [
  "batchSize, newBatchThreshold",
  "Rotations at a time",
  "Rotations/s",
  "CPU per rotation",
  "Memory (RSS)",
];

/** Each instance rotates every target twice: in the first round its code is not compiled yet. */
async function play(world: World, batch: Batch): Promise<Measured> {
  const instance = world.startInstances(1, false, undefined, batch);
  try {
    await playRound(world, instance, { limitMs });
    const round = await playRound(world, instance, { limitMs });
    return { ...round, rssBytes: (await instance.usage()).rssBytes };
  } finally {
    await instance.close();
  }
}

function toLine(batch: Batch, rounds: readonly Measured[]): readonly string[] {
  const { batchSize, newBatchThreshold } = batch;
  const each = (value: (round: Measured) => number) => median(rounds.map(value));
  return [
    `${batchSize}, ${newBatchThreshold}`,
    String(batchSize + newBatchThreshold),
    number(
      each(({ done, tookMs }) => done / (tookMs / 1_000)),
      1,
    ),
    `${number(
      each(({ cpuMs, done }) => cpuMs / done),
      1,
    )} ms`,
    `${number(each(({ rssBytes }) => rssBytes / 2 ** 20))} MiB`,
  ];
}
