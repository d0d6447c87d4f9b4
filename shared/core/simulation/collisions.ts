import type { Instant } from "../time.ts";
import type { Collision, Limit, Limits, SimulatedRotation } from "./plan.ts";

/** A rotation stores its secret twice: once to wait, once to be read. */
const createsPerRotation = 2;

/** `rotations` are in the order in which they start. */
export function collisionsOf(rotations: readonly SimulatedRotation[], limits: Limits): Collision[] {
  const servers = startsBy(rotations, ({ target }) => target.server);
  const vaults = startsBy(rotations, ({ target }) => target.vault);
  return [
    ...[...servers].flatMap(([name, starts]) =>
      crowds(starts, limits.perServer, 1).map((crowd) => collision("server", name, crowd)),
    ),
    ...[...vaults].flatMap(([name, starts]) =>
      crowds(starts, limits.perVault, createsPerRotation).map((crowd) =>
        collision("vault", name, crowd),
      ),
    ),
  ].sort((a, b) => (a.from < b.from ? -1 : 1));
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

function startsBy(
  rotations: readonly SimulatedRotation[],
  keyOf: (rotation: SimulatedRotation) => string | undefined,
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const rotation of rotations) {
    const key = keyOf(rotation);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(rotation.at);
    else groups.set(key, [rotation.at]);
  }
  return groups;
}

/** Crowds that overlap are one. */
function crowds(starts: readonly number[], { count, within }: Limit, weight: number): Crowd[] {
  const found: Crowd[] = [];
  let first = 0;
  for (const [index, to] of starts.entries()) {
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
