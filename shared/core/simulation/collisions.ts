import type { Instant } from "../time.ts";
import { itemsInStep, sortInSteps, type Steps } from "../work-in-steps.ts";
import type { Collision, Limit, Limits, SimulatedRotation } from "./model.ts";

/** A rotation creates two versions: a pending one, and the published one. */
const createsPerRotation = 2;

/** Finds the times in which a server or vault exceeds its limit. `rotations` are sorted by their start. */
export function* findCollisions(
  rotations: readonly SimulatedRotation[],
  limits: Limits,
): Steps<Collision[]> {
  const servers = new Map<string, number[]>();
  const vaults = new Map<string, number[]>();
  for (const [index, { target, at }] of rotations.entries()) {
    if (target.server !== undefined) add(servers, target.server, at);
    add(vaults, target.vault, at);
    if (index % itemsInStep === 0) yield;
  }
  const found: Collision[] = [];
  for (const [name, starts] of servers) {
    const overfull = yield* crowds(starts, limits.perServer, 1);
    for (const crowd of overfull) found.push(collision("server", name, crowd));
  }
  for (const [name, starts] of vaults) {
    const overfull = yield* crowds(starts, limits.perVault, createsPerRotation);
    for (const crowd of overfull) found.push(collision("vault", name, crowd));
  }
  return yield* sortInSteps(found, ({ from }) => Date.parse(from));
}

interface Crowd {
  readonly from: number;
  readonly to: number;
  readonly most: number;
  readonly limit: number;
}

function collision(kind: Collision["kind"], name: string, crowd: Crowd): Collision {
  const { from, to, most, limit } = crowd;
  return { kind, name, from: instant(from), to: instant(to), most, limit };
}

function add(starts: Map<string, number[]>, name: string, at: number): void {
  const moments = starts.get(name);
  if (moments) moments.push(at);
  else starts.set(name, [at]);
}

/** Finds crowds of starts. Overlapping crowds are merged. */
function* crowds(
  starts: readonly number[],
  { count, within }: Limit,
  weight: number,
): Steps<Crowd[]> {
  const found: Crowd[] = [];
  let first = 0;
  for (const [index, to] of starts.entries()) {
    if (index % itemsInStep === 0) yield;
    while ((starts[first] ?? to) <= to - within) first++;
    const most = (index - first + 1) * weight;
    if (most <= count) continue;
    const from = starts[first] ?? to;
    const last = found.at(-1);
    if (last && from <= last.to) {
      found[found.length - 1] = { ...last, to, most: Math.max(last.most, most) };
    } else {
      found.push({ from, to, most, limit: count });
    }
  }
  return found;
}

function instant(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString();
}
