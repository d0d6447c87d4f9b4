import type { Asked, Figure } from "../figure.ts";
import { duration, number, type Row } from "../output/format-table.ts";
import { greatest, median } from "../output/statistics.ts";
import { startBlackholes, startSilentServers } from "../world/dead-servers.ts";
import { awaitEach } from "../world/instances.ts";
import { startWorld, type World } from "../world/world.ts";

const healthyCount = 80;
const deadCount = 24;
const limitMs = 15 * 60_000;

/** Measures how long healthy targets wait for their rotation while other targets are on servers that do not answer. */
export const dead: Figure = {
  name: "dead",
  about: "80 healthy targets, with and without 24 on dead servers: when they are done",
  async measure({ say }) {
    return [...(await measureRows(false, say)), ...(await measureRows(true, say))];
  },
};

async function measureRows(isFresh: boolean, say: Asked["say"]): Promise<readonly Row[]> {
  const half = deadCount / 2;
  const [silent, holes] = await Promise.all([startSilentServers(half), startBlackholes(half)]);
  const world = await startWorld(healthyCount + deadCount);
  const instance = isFresh ? "a fresh instance" : "an instance that knows its healthy server";
  try {
    const healthy = world.ids.slice(0, healthyCount);
    const lost = world.ids.slice(healthyCount);
    say(`${instance}, without dead servers`);
    const without = await measureTimes(world, { healthy, requested: healthy, isFresh });
    say(`${instance}, with dead servers`);
    const { caFile } = world.database;
    for (const [index, port] of [...silent.ports, ...holes.ports].entries()) {
      await world.move(lost.slice(index, index + 1), { port, caFile });
    }
    const beside = await measureTimes(world, { healthy, requested: mix(healthy, lost), isFresh });
    return [
      {
        what: `First rotation of 80 healthy targets, median, ${instance}`,
        value: duration(median(without)),
      },
      {
        what: "The same beside 24 targets on 24 dead servers",
        value: duration(median(beside)),
        note,
      },
      { what: "Ratio", value: number(median(beside) / median(without), 1) },
      { what: "The last healthy one beside them", value: duration(greatest(beside)) },
    ];
  } finally {
    await Promise.all([world.close(), silent.close(), holes.close()]);
  }
}

const note =
  "one instance; requests in one queue, evenly mixed; half of the servers accept and say nothing, half answer no SYN";

interface Timed {
  readonly healthy: readonly string[];
  readonly requested: readonly string[];
  /** Whether the instance has contacted no server yet. Otherwise, it has rotated all healthy targets once. */
  readonly isFresh: boolean;
}

/** Measures the milliseconds until one new instance has rotated each healthy target. */
async function measureTimes(
  world: World,
  { healthy, requested, isFresh }: Timed,
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
    if (!isFresh) {
      await rotated(healthy);
      await instances.rest();
    }
    return await rotated(requested);
  } finally {
    // Not `rest`, which would wait for the targets on dead servers.
    await instances.close();
  }
}

/** Mixes the few at equal distances into the many. */
function mix(many: readonly string[], few: readonly string[]): readonly string[] {
  const distance = many.length / few.length;
  return many.flatMap((one, index) => {
    const at = Math.floor(index / distance);
    const other = few[at];
    return other !== undefined && Math.ceil(at * distance) === index ? [other, one] : [one];
  });
}
