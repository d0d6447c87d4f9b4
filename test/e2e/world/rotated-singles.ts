import { makeConfig, seed, single } from "./targets.ts";
import { startWorld, type World } from "./world.ts";

/** A running world with one single account for each name. Each target is adopted and rotated once. */
export async function startRotatedSingles(
  names: readonly string[],
  options: Omit<Parameters<typeof startWorld>[0], "config"> = {},
): Promise<World> {
  const world = await startWorld({
    ...options,
    config: (places) =>
      makeConfig(
        places,
        Object.fromEntries(names.map((name) => [name, single(places, name)] as const)),
      ),
  });
  for (const name of names) await seed(world, name);
  await world.start();
  for (const name of names) await world.api.ended(await world.api.rotate(name));
  return world;
}
