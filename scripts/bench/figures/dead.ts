import { startBlackhole, startSilentServer } from "../dead-servers.ts";
import type { Figure } from "../figure.ts";
import { awaitEach } from "../instance.ts";
import { greatest, median } from "../statistics.ts";
import { duration, number } from "../table.ts";
import { startWorld, type World } from "../world.ts";

const healthyCount = 80;
const deadCount = 24;
const limitMs = 15 * 60_000;

/** How long healthy targets wait for their rotation when others are on servers that do not answer. */
export const dead: Figure = {
  name: "dead",
  about: "80 healthy targets, with and without 24 on dead servers: when they are done",
  async measure({ say }) {
    const [silent, blackhole] = await Promise.all([startSilentServer(), startBlackhole()]);
    const world = await startWorld(healthyCount + deadCount);
    try {
      const healthy = world.ids.slice(0, healthyCount);
      const lost = world.ids.slice(healthyCount);
      say("without dead servers");
      const without = await timesOf(world, healthy, healthy);
      const { caFile } = world.database;
      await world.move(lost.slice(0, deadCount / 2), { port: silent.port, caFile });
      await world.move(lost.slice(deadCount / 2), { port: blackhole.port, caFile });
      say("with dead servers");
      const mixed = mix(healthy, lost);
      const beside = await timesOf(world, healthy, mixed);
      const note = "one instance; requests in one queue, evenly mixed";
      return [
        { what: "First rotation of 80 healthy targets, median", value: duration(median(without)) },
        {
          what: "The same beside 24 targets on dead servers",
          value: duration(median(beside)),
          note: `${note}; half of the servers accept and say nothing, half answer no SYN`,
        },
        { what: "Ratio", value: number(median(beside) / median(without), 1) },
        { what: "The last healthy one beside them", value: duration(greatest(beside)) },
      ];
    } finally {
      await Promise.all([world.close(), silent.close(), blackhole.close()]);
    }
  },
};

/** Milliseconds until each of the healthy is rotated, by a new instance that has rotated all of them once before. */
async function timesOf(
  world: World,
  healthy: readonly string[],
  requested: readonly string[],
): Promise<readonly number[]> {
  const instances = world.startInstances(1, false);
  const rotated = async (ids: readonly string[]) => {
    await world.request(ids);
    const began = Date.now();
    await instances.pull();
    const done = await awaitEach({ instances, ids: healthy, type: "succeeded", limitMs });
    return healthy.map((id) => (done.get(id) ?? began + limitMs) - began);
  };
  try {
    await rotated(healthy);
    await instances.rest();
    return await rotated(requested);
  } finally {
    // Not `rest`: what waits for a dead server would be waited for.
    await instances.close();
  }
}

/** The few at equal distances among the many. */
function mix(many: readonly string[], few: readonly string[]): readonly string[] {
  const distance = many.length / few.length;
  return many.flatMap((one, index) => {
    const at = Math.floor(index / distance);
    const other = few[at];
    return other !== undefined && Math.ceil(at * distance) === index ? [other, one] : [one];
  });
}
