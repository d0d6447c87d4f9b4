import { day, hour, minute } from "../../../shared/core/time.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import { JournalUnavailableError } from "../../../shared/stores/journal.ts";
import { generator } from "../random.ts";
import { watch } from "../watch.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "../world.ts";
import { type Disturbance, disturbances } from "./disturbances.ts";
import { endings, workOnUntil } from "./disturbed.ts";
import { engine, type Worker } from "./stops.ts";

const episodes = 8;
/** The approximate number of engine calls in an episode. */
const callsInEpisode = 45;
/** The number of calls for which a dead worker does nothing before the next worker starts. */
const deadCalls = 12;
/** How far a worker's clock may be ahead of all others, in milliseconds. */
const offsets = [0, 0, 0, -10 * minute, hour];

/** The events during one rotation of a target. Moments are counted in engine calls. */
interface Episode {
  readonly disturbance: Disturbance | undefined;
  readonly strikesAt: number;
  readonly diesAt: number;
  readonly losesReplyAt: number;
  readonly aheadMs: number;
  readonly isRequested: boolean;
  /** Milliseconds until the disturbance is over, and then until the next episode. */
  readonly lasts: number;
  readonly rest: number;
}

function drawEpisode(random: () => number, fitting: readonly Disturbance[]): Episode {
  const upTo = (most: number) => Math.floor(random() * most);
  const call = (chance: number) => (random() < chance ? 1 + upTo(callsInEpisode) : Infinity);
  return {
    disturbance: fitting[upTo(fitting.length)],
    strikesAt: call(0.7),
    diesAt: call(0.4),
    losesReplyAt: call(0.4),
    aheadMs: offsets[upTo(offsets.length)] ?? 0,
    isRequested: random() < 0.8,
    lasts: minute + upTo(2 * hour),
    rest: upTo(2 * day),
  };
}

/**
 * Simulates the life of a target: rotations on request and by schedule, with disturbances, deaths of workers, lost replies and wrong
 * clocks, all drawn from the seed. A disturbance ends before the next one begins. Returns the problems that were found.
 */
export async function live(
  kind: Kind,
  seed: number,
  worker: Worker = engine,
): Promise<readonly string[]> {
  const world = await makeWorld(kind, `life ${seed}`);
  const random = generator(seed);
  const fitting = disturbances.filter(({ fits }) => fits?.(kind) ?? true);
  const story: string[] = [];
  let current: Disturbance | undefined;
  const { broken, noteStrike, judge } = watch(world, (changed) =>
    current?.forbids?.(world, changed),
  );
  const workFor = (length: number, gate: Gate, aheadMs = 0) =>
    workOnUntil(world, { worker, gate, end: Date.parse(world.now()) + length, broken, aheadMs });

  async function go({ disturbance, ...episode }: Episode): Promise<void> {
    let calls = 0;
    const gate: Gate = async (effect, call) => {
      calls++;
      if (calls === episode.strikesAt) {
        current = disturbance;
        noteStrike();
        await disturbance?.strike(world);
      }
      const isDead = calls >= episode.diesAt && calls < episode.diesAt + deadCalls;
      if (isDead) throw new JournalUnavailableError("the worker is dead");
      const result = await judge(effect, call);
      if (calls === episode.losesReplyAt) throw new JournalUnavailableError("the reply was lost");
      return result;
    };
    if (episode.isRequested) await ask(world);
    else world.advance(90 * day);
    await workFor(episode.lasts, gate, episode.aheadMs);
    await current?.heal?.(world);
    current = undefined;
    await workFor(episode.rest, judge);
  }

  await worker(world.ports(open), world);
  for (let count = 0; count < episodes; count++) {
    const episode = drawEpisode(random, fitting);
    story.push(JSON.stringify({ ...episode, disturbance: episode.disturbance?.name }));
    await go(episode);
  }
  await ask(world);
  await workFor(2 * day, judge);
  broken.push(...(await endings(world)));
  return broken.length === 0 ? [] : [...new Set(broken), ...story];
}

function ask(world: World) {
  const wanted = { reason: "operator", requestedBy: "person" } as const;
  return requestRotation(world.ports(open), world.target, wanted);
}
