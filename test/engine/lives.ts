import { day, hour, minute } from "../../shared/core/time.ts";
import { requestRotation } from "../../shared/engine/request.ts";
import { JournalUnavailableError } from "../../shared/stores/journal.ts";
import { disturbances } from "./disturbances.ts";
import { endings, workOnUntil } from "./disturbed.ts";
import { generator } from "./random.ts";
import { engine, type Worker } from "./stops.ts";
import { watch } from "./watch.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "./world.ts";

const episodes = 8;
/** An episode makes about so many calls of the engine. */
const callsInEpisode = 45;
/** How far ahead of everybody else's the clock of a worker may be, in milliseconds. */
const offsets = [0, 0, 0, -10 * minute, hour];

/**
 * A life of a target: rotations on request and by schedule, with disturbances, deaths of workers, lost replies and wrong
 * clocks, all drawn from the seed. A disturbance is over before the next one comes. Returns what was found to be wrong.
 */
export async function live(
  kind: Kind,
  seed: number,
  worker: Worker = engine,
): Promise<readonly string[]> {
  const world = await makeWorld(kind, `life ${seed}`);
  const random = generator(seed);
  const story: string[] = [];
  const upTo = (most: number) => Math.floor(random() * most);
  const oneOf = <Item>(items: readonly Item[]): Item => items[upTo(items.length)] as Item;
  const fitting = disturbances.filter(({ fits }) => fits?.(kind) ?? true);
  let forbids: (changed: readonly string[]) => string | undefined = () => undefined;
  const { broken, noteStrike, judge } = watch(world, (changed) => forbids(changed));

  async function episode(): Promise<void> {
    const disturbance = random() < 0.7 ? oneOf(fitting) : undefined;
    const strikeAt = 1 + upTo(callsInEpisode);
    const deathAt = random() < 0.4 ? 1 + upTo(callsInEpisode) : Infinity;
    const lostAt = random() < 0.4 ? 1 + upTo(callsInEpisode) : Infinity;
    const aheadMs = oneOf(offsets);
    story.push(
      [disturbance?.name, strikeAt, "death", deathAt, "lost", lostAt, "clock", aheadMs].join(" "),
    );
    let calls = 0;
    let struck = false;
    const gate: Gate = async (effect, call) => {
      calls++;
      if (calls === strikeAt && disturbance) {
        struck = true;
        forbids = (changed) => disturbance.forbids?.(world, changed);
        noteStrike();
        await disturbance.strike(world);
      }
      // A dead worker gets nothing done any more; the next one comes when its claim has ended.
      if (calls >= deathAt && calls < deathAt + 12) throw new JournalUnavailableError("it is dead");
      const result = await judge(effect, call);
      if (calls === lostAt) throw new JournalUnavailableError("the reply was lost");
      return result;
    };
    if (random() < 0.8) await ask(world);
    else world.advance(90 * day);
    const lasts = minute + upTo(2 * hour);
    await workOnUntil(world, worker, gate, Date.parse(world.now()) + lasts, broken, aheadMs);
    if (struck) await disturbance?.heal?.(world);
    forbids = () => undefined;
    const rest = upTo(2 * day);
    await workOnUntil(world, worker, judge, Date.parse(world.now()) + rest, broken);
  }

  await worker(world.ports(open), world);
  for (let count = 0; count < episodes; count++) await episode();
  await ask(world);
  await workOnUntil(world, worker, judge, Date.parse(world.now()) + 2 * day, broken);
  broken.push(...(await endings(world)));
  return broken.length === 0 ? [] : [...new Set(broken), ...story];
}

function ask(world: World) {
  const wanted = { reason: "operator", requestedBy: "person" } as const;
  return requestRotation(world.ports(open), world.target, wanted);
}
