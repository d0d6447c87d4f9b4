import { askWhenReady, type Consumers } from "./load.ts";
import { isServed, readPublished } from "./world/stored.ts";
import type { SoakTarget } from "./world/targets.ts";
import type { World } from "./world/world.ts";

/** Longer than the time for which Keyturn does not try an account that was refused too often. */
const patienceMs = 720_000;

export interface Shortcoming {
  readonly target: SoakTarget;
  readonly what: string;
}

/** The full proof at the end: published passwords work, the journal knows them, and every target rotates once more. */
export async function proveAll(world: World, consumers: Consumers): Promise<Shortcoming[]> {
  const found = await Promise.all(
    world.targets.map(async (target) => {
      await hurry(world, target);
      const before = await findShortcoming(world, target);
      if (before !== undefined) return { target, what: before };
      if (!(await rotatesOnceMore(world, consumers, target))) {
        return { target, what: "does not rotate once more when asked" };
      }
      const after = await findShortcoming(world, target);
      return after === undefined ? undefined : { target, what: `${after} after one more rotation` };
    }),
  );
  return found.filter((each) => each !== undefined);
}

/**
 * A pair whose idle account could not be changed waits for the long retry interval of its policy, an hour here, because consumers
 * still work; a blocked pair waits for an operator. The notified operator requests a rotation, which continues.
 */
async function hurry({ api }: World, { id }: SoakTarget): Promise<void> {
  const view = (await api.views())?.get(id);
  if (view !== undefined && view.health !== "healthy") await api.rotate(id);
}

/** Waits until the target is idle and has no problem. Otherwise, returns the last problem. */
async function findShortcoming(world: World, target: SoakTarget): Promise<string | undefined> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const what = await lookAt(world, target);
    if (what === undefined || performance.now() > end) return what;
    await world.pause(500);
  }
}

async function lookAt(world: World, { id }: SoakTarget): Promise<string | undefined> {
  const { api, vault, database } = world;
  const view = (await api.views())?.get(id);
  if (view === undefined) return "no host answers";
  if (view.health !== "healthy") return `its health is ${view.health}`;
  if (view.rotation !== undefined) return `its rotation is still in ${view.rotation.phase}`;
  const published = await readPublished(vault.secrets, id);
  if (published?.version !== view.published?.version) {
    return "the journal does not know what is published";
  }
  return (await isServed(vault.secrets, database, id)) ? undefined : "what is published is refused";
}

async function rotatesOnceMore(
  world: World,
  consumers: Consumers,
  target: SoakTarget,
): Promise<boolean> {
  const before = await readPublished(world.vault.secrets, target.id);
  await askWhenReady(world, consumers, target);
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const now = await readPublished(world.vault.secrets, target.id);
    if (now !== undefined && now.version !== before?.version) return true;
    await world.pause(500);
  }
  return false;
}
