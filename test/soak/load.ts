import { setTimeout as pause } from "node:timers/promises";
import type { TargetView } from "../../shared/core/views.ts";
import type { Consumer } from "./world/consumer.ts";
import { type Draw, pick } from "./world/draw.ts";
import { readPublished } from "./world/stored.ts";
import { isPair, type SoakTarget } from "./world/targets.ts";
import type { World } from "./world/world.ts";

export type Consumers = ReadonlyMap<string, Consumer>;

const askEveryMs = 1_200;

/** Milliseconds. A scheduled rotation that is due sooner would immediately follow a requested one. */
const dueSoonMs = 8_000;

/** The fraction of requests that report an exposure instead. */
const exposureShare = 0.2;

/** Milliseconds that a request waits until its target is ready. */
const patienceMs = 15_000;

/**
 * The version that consumers of a pair have read stays valid for one more rotation, not for two. Another rotation may therefore
 * be requested only when the consumer uses the published version.
 */
async function isReady(
  { vault }: World,
  consumers: Consumers,
  target: SoakTarget,
  view: TargetView,
): Promise<boolean> {
  if (!isPair(target)) return true;
  if (view.rotation !== undefined) return isStuck(view.rotation);
  const untilDue = Date.parse(view.nextDue ?? "9999-12-31T00:00:00Z") - Date.now();
  if (untilDue > 0 && untilDue < dueSoonMs) return false;
  return usesPublished(vault, consumers, target, view.published?.version);
}

/** Whether the consumer uses the published version, according to the vault, or to the journal while the vault is unreadable. */
async function usesPublished(
  { secrets }: World["vault"],
  consumers: Consumers,
  { id }: SoakTarget,
  known?: string,
): Promise<boolean> {
  const version = (await readPublished(secrets, id))?.version ?? known;
  return version === consumers.get(id)?.version();
}

/** Waits until the consumer uses the published version. */
export async function awaitConsumer(
  world: World,
  consumers: Consumers,
  target: SoakTarget,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    if (await usesPublished(world.vault, consumers, target)) return;
    await world.pause(200);
  }
}

/** Before a rotation has published, a request joins and speeds it up. A later request leads to another rotation. */
function isStuck({ phase, nextAttemptAt }: NonNullable<TargetView["rotation"]>): boolean {
  if (phase === "blocked") return true;
  const wait = Date.parse(nextAttemptAt ?? "") - Date.now();
  return ["staging", "applying", "publishing"].includes(phase) && wait > dueSoonMs;
}

/** Requests a rotation as soon as the target is ready, and skips it when that takes too long. */
export async function askWhenReady(
  world: World,
  consumers: Consumers,
  target: SoakTarget,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const view = (await world.api.views())?.get(target.id);
    if (view !== undefined && (await isReady(world, consumers, target, view))) {
      if ((await world.api.rotate(target.id)) !== undefined) return;
    }
    await world.pause(300);
  }
}

export interface Load {
  /** While true, the load requests nothing. */
  isPaused: boolean;
  end(): Promise<void>;
}

/** Requests rotations, and reports exposures, of targets at random. */
export function keepAsking(
  world: World,
  consumers: Consumers,
  of: { readonly draw: Draw; readonly isIntact: (target: SoakTarget) => boolean },
): Load {
  const { draw, isIntact } = of;
  const ending = new AbortController();
  const load = {
    isPaused: false,
    async end() {
      ending.abort();
      await running;
    },
  };
  const askOnce = async (number: number) => {
    const target = pick(draw, `load/${number}`, world.targets);
    const view = (await world.api.views())?.get(target.id);
    if (view === undefined || load.isPaused || !isIntact(target)) return;
    if (!(await isReady(world, consumers, target, view))) return;
    if (draw(`load/${number}/exposure`) < exposureShare) await world.api.expose(target.id);
    else await world.api.rotate(target.id);
  };
  const hasEnded = () => ending.signal.aborted;
  const running = (async () => {
    for (let number = 1; !hasEnded(); number++) {
      if (!load.isPaused) await askOnce(number);
      await pause(askEveryMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return load;
}
