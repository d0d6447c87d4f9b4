import { createHash } from "node:crypto";

/** Makes a number from 0 to 1 for a name. The same seed and name always give the same number. */
export type Draw = (name: string) => number;

export function makeDraws(seed: number): Draw {
  return (name) => createHash("sha256").update(`${seed}/${name}`).digest().readUInt32BE() / 2 ** 32;
}

/** Makes the random numbers of one round. Names must be unique within the round only. */
export const drawsWithin =
  (draw: Draw, round: string): Draw =>
  (name) =>
    draw(`${round}/${name}`);

export function pick<Item>(draw: Draw, name: string, items: readonly Item[]): Item {
  const item = items[Math.floor(draw(name) * items.length)];
  if (item === undefined) throw new RangeError(`The list for ${name} is empty.`);
  return item;
}

export function between(draw: Draw, name: string, [from, to]: readonly [number, number]): number {
  return Math.round(from + draw(name) * (to - from));
}

export function shuffled<Item>(draw: Draw, name: string, items: readonly Item[]): Item[] {
  return items
    .map((item, index) => ({ item, at: draw(`${name}/${index}`) }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
