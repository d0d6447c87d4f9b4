import { formatDuration, type Instant, minute } from "../time.ts";
import { type Simulation, type SimulatedRotation, whyOf } from "./plan.ts";

/** What an edit does to the next rotation of one target. */
export interface Difference {
  readonly targetId: string;
  readonly kind: "earlier" | "later" | "appears" | "vanishes" | "same start";
  readonly before?: Instant;
  readonly after?: Instant;
  /** How many rotations there are in the time simulated. */
  readonly countBefore: number;
  readonly countAfter: number;
  readonly why: string;
}

export interface Comparison {
  /** One for each target that an edit touches, by id. */
  readonly differences: readonly Difference[];
  /** Targets that the edit lets start within a day of the beginning, and that did not before. */
  readonly soon: readonly string[];
  readonly unchanged: number;
  /** Such as `412 targets move earlier, 3 would rotate within a day`. */
  readonly summary: string;
}

/** What changes between two simulations of the same time, target by target. */
export function compare(before: Simulation, after: Simulation): Comparison {
  const [old, fresh] = [byTarget(before), byTarget(after)];
  const ids = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  const differences = ids.flatMap((id) => differenceOf(id, old.get(id) ?? [], fresh.get(id) ?? []));
  const limit = Date.parse(after.from) + 24 * 60 * minute;
  const isSoon = (rotation: SimulatedRotation | undefined) =>
    rotation !== undefined && rotation.at < limit;
  const soon = ids.filter((id) => isSoon(fresh.get(id)?.[0]) && !isSoon(old.get(id)?.[0]));
  const targets = new Set([...before.targetIds, ...after.targetIds]);
  const unchanged = targets.size - differences.length;
  return { differences, soon, unchanged, summary: summaryOf(differences, soon, unchanged) };
}

function byTarget({ rotations }: Simulation): Map<string, SimulatedRotation[]> {
  const found = new Map<string, SimulatedRotation[]>();
  for (const rotation of rotations) {
    const own = found.get(rotation.target.id);
    if (own) own.push(rotation);
    else found.set(rotation.target.id, [rotation]);
  }
  return found;
}

function differenceOf(
  targetId: string,
  old: readonly SimulatedRotation[],
  fresh: readonly SimulatedRotation[],
): Difference[] {
  if (old.length === fresh.length && old.every(({ at }, index) => at === fresh[index]?.at)) {
    return [];
  }
  const [was, is] = [old[0], fresh[0]];
  return [
    {
      targetId,
      kind: kindOf(was?.at, is?.at),
      ...(was && { before: instant(was.at) }),
      ...(is && { after: instant(is.at) }),
      countBefore: old.length,
      countAfter: fresh.length,
      why: is ? whyOf(is) : "no rotation in this time any more",
    },
  ];
}

function kindOf(was: number | undefined, is: number | undefined): Difference["kind"] {
  if (was === undefined) return "appears";
  if (is === undefined) return "vanishes";
  if (was === is) return "same start";
  return is < was ? "earlier" : "later";
}

const phrases: readonly (readonly [Difference["kind"], string])[] = [
  ["earlier", "earlier"],
  ["later", "later"],
  ["appears", "into this time"],
  ["vanishes", "out of this time"],
];

function summaryOf(
  differences: readonly Difference[],
  soon: readonly string[],
  unchanged: number,
): string {
  const moves = phrases.flatMap(([kind, phrase]) => {
    const count = differences.filter((one) => one.kind === kind).length;
    return count === 0 ? [] : `${counted(count, "moves", "move")} ${phrase}`;
  });
  const same = differences.filter(({ kind }) => kind === "same start").length;
  return [
    ...moves,
    ...(same > 0
      ? [`${counted(same, "keeps its", "keep their")} next rotation, not the later ones`]
      : []),
    ...(soon.length > 0 ? [`${soon.length} would rotate within a day`] : []),
    `${unchanged} unchanged`,
  ].join(", ");
}

function counted(count: number, one: string, several: string): string {
  return count === 1 ? `1 target ${one}` : `${count} targets ${several}`;
}

/** Such as `2d 3h earlier`, for tables. */
export function shiftOf({ before, after }: Difference): string {
  if (before === undefined || after === undefined) return "";
  const by = Date.parse(after) - Date.parse(before);
  if (by === 0) return "";
  const rounded = Math.round(Math.abs(by) / minute) * minute;
  return `${formatDuration(rounded)} ${by < 0 ? "earlier" : "later"}`;
}

function instant(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString();
}
