import { day, formatLength, type Instant, minute, second, toInstantAt } from "../time.ts";
import { itemsInStep, mapInSteps, runAtOnce, type Steps } from "../work-in-steps.ts";
import { describeWhy, type SimulatedRotation, type Simulation } from "./model.ts";

/** The effect of an edit on the rotations of one target. */
export interface Difference {
  readonly targetId: string;
  /**
   * `earlier`, `later`: the next rotation moves, in the simulated period or after it. `appears`, `vanishes`: only one side
   * configures the target or has a next rotation. `same start`: only rotations after the next one differ.
   */
  readonly kind: "earlier" | "later" | "appears" | "vanishes" | "same start";
  /** The next rotation on each side. */
  readonly before?: Instant;
  readonly after?: Instant;
  /** The number of rotations in the simulated period. */
  readonly countBefore: number;
  readonly countAfter: number;
  readonly why: string;
}

export interface Comparison {
  readonly from: Instant;
  readonly to: Instant;
  /** One difference for each target that the edit affects, sorted by id. */
  readonly differences: readonly Difference[];
  /** Targets that start within the first 24 hours only because of the edit. */
  readonly soon: readonly string[];
  readonly unchanged: number;
  /** The number of rotations of all targets in the simulated period. */
  readonly rotationsBefore: number;
  readonly rotationsAfter: number;
  /** A summary such as `412 targets move earlier, 3 would rotate today`. */
  readonly summary: string;
}

/** A target on one side of the comparison. */
interface Side {
  readonly configured: boolean;
  readonly next?: SimulatedRotation | undefined;
  readonly rotations: readonly SimulatedRotation[];
}

const nowhere: Side = { configured: false, rotations: [] };

/** Compares two simulations of the same period, target by target. `now` decides whether the period begins today. */
export function compare(before: Simulation, after: Simulation, now: Instant): Comparison {
  return runAtOnce(compareInSteps(before, after, now));
}

export function* compareInSteps(
  before: Simulation,
  after: Simulation,
  now: Instant,
): Steps<Comparison> {
  const [old, fresh] = [yield* toSides(before), yield* toSides(after)];
  const ids = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  const reasons = new Map(after.never.map(({ targetId, why }) => [targetId, why]));
  const found = yield* mapInSteps(ids, (id) =>
    computeDifference(id, old.get(id) ?? nowhere, fresh.get(id) ?? nowhere, reasons.get(id)),
  );
  const differences = found.flat();
  const limit = Date.parse(after.from) + day;
  const isSoon = (side: Side | undefined) => (side?.next?.at ?? Infinity) < limit;
  const soon = ids.filter((id) => isSoon(fresh.get(id)) && !isSoon(old.get(id)));
  const unchanged = ids.length - differences.length;
  const isToday = after.from <= now && Date.parse(now) < limit;
  return {
    from: after.from,
    to: after.to,
    differences,
    soon,
    unchanged,
    rotationsBefore: before.rotations.length,
    rotationsAfter: after.rotations.length,
    summary: summarize(differences, soon.length, unchanged, isToday ? "today" : "on the first day"),
  };
}

function* toSides({ targets, rotations }: Simulation): Steps<Map<string, Side>> {
  const own = new Map(targets.map(({ id }): [string, SimulatedRotation[]] => [id, []]));
  for (const [index, rotation] of rotations.entries()) {
    own.get(rotation.target.id)?.push(rotation);
    if (index % itemsInStep === 0) yield;
  }
  return new Map(
    targets.map(({ id, next }) => [id, { configured: true, next, rotations: own.get(id) ?? [] }]),
  );
}

function computeDifference(
  targetId: string,
  old: Side,
  fresh: Side,
  whyNever = "nothing makes a rotation due",
): Difference[] {
  const kind = classifyDifference(old, fresh);
  if (kind === undefined) return [];
  const [was, is] = [old.next, fresh.next];
  const whyNot = fresh.configured ? whyNever : "is no longer configured";
  return [
    {
      targetId,
      kind,
      ...(was && { before: toInstantAt(was.at) }),
      ...(is && { after: toInstantAt(is.at) }),
      countBefore: old.rotations.length,
      countAfter: fresh.rotations.length,
      why: is ? describeWhy(is) : whyNot,
    },
  ];
}

/** Compares one target. Undefined when nothing changes. */
function classifyDifference(old: Side, fresh: Side): Difference["kind"] | undefined {
  if (old.configured !== fresh.configured) return old.configured ? "vanishes" : "appears";
  const [was, is] = [old.next?.at, fresh.next?.at];
  if (was === is) return isSame(old.rotations, fresh.rotations) ? undefined : "same start";
  if (was === undefined) return "appears";
  if (is === undefined) return "vanishes";
  return is < was ? "earlier" : "later";
}

function isSame(old: Side["rotations"], fresh: Side["rotations"]): boolean {
  return old.length === fresh.length && old.every(({ at }, index) => at === fresh[index]?.at);
}

const phrases: readonly (readonly [Difference["kind"], string, string])[] = [
  ["earlier", "moves earlier", "move earlier"],
  ["later", "moves later", "move later"],
  ["appears", "appears", "appear"],
  ["vanishes", "vanishes", "vanish"],
  [
    "same start",
    "keeps its next rotation, but not the later rotations",
    "keep their next rotation, but not the later rotations",
  ],
];

function summarize(
  differences: readonly Difference[],
  soon: number,
  unchanged: number,
  when: string,
): string {
  const moves = phrases.flatMap(([kind, one, several]) => {
    const count = differences.filter((difference) => difference.kind === kind).length;
    if (count === 0) return [];
    return count === 1 ? `1 target ${one}` : `${count} targets ${several}`;
  });
  return [
    ...moves,
    ...(soon > 0 ? [`${soon} would rotate ${when}`] : []),
    `${unchanged} unchanged`,
  ].join(", ");
}

/** Formats the shift for tables, such as `2d 3h earlier`. Rounds to minutes, seconds or milliseconds, depending on the length. */
export function computeShift({ before, after }: Difference): string {
  if (before === undefined || after === undefined) return "";
  const by = Date.parse(after) - Date.parse(before);
  if (by === 0) return "";
  const length = Math.abs(by);
  const unit = [minute, second].find((one) => length >= one) ?? 1;
  const rounded = Math.round(length / unit) * unit;
  return `${formatLength(rounded)} ${by < 0 ? "earlier" : "later"}`;
}
