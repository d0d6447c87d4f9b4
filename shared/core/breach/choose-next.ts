import { limitWindow } from "../fleet/vault-limit.ts";
import { between, type Instant, second } from "../time.ts";
import type { BreachItem } from "./breach.ts";

/** How many rotations of one server a breach has under way. More would only wait for each other, and a pause would come late. */
export const maxPerServer = 20;

/** How many rotations a breach has under way in total, without those that wait for something. */
export const maxUnderWay = 200;

/** The same with those that wait. Each of them is read again in every turn. */
export const maxBegun = 1_000;

/** Milliseconds of a vault's room that the rotations under way may use. */
const roomMs = 5 * second;

/** Milliseconds after which a rotation that waits for something no longer counts for its server. */
const waitCountsFor = 30 * second;

/** Where a target needs room. */
export interface Needs {
  readonly server: string;
  /** How many versions each vault gets. */
  readonly creates: ReadonlyMap<string, number>;
}

interface Limits {
  /** Undefined for a target that is not configured. */
  readonly needsOf: (item: BreachItem) => Needs | undefined;
  /** How many versions a vault creates in 10 seconds. */
  readonly perWindow: (vault: string) => number;
  readonly now: Instant;
}

/** Chooses which targets begin, within what every server and every vault has room for. */
export interface Chooser {
  /** Whether another target may begin at all. */
  readonly hasRoom: () => boolean;
  /** Takes room for the target, if there is some. */
  readonly take: (item: BreachItem) => boolean;
}

/**
 * `begun`: the rotations that have begun and not ended. One that waits for something takes no room of its vault, and soon none of its
 * server: a server that is down must not keep the breach from its other targets.
 */
export function makeChooser(begun: readonly BreachItem[], limits: Limits): Chooser {
  const { needsOf, perWindow, now } = limits;
  const used = new Map<string, number>();
  let underWay = 0;
  let total = begun.length;
  const add = (key: string, count: number) => used.set(key, (used.get(key) ?? 0) + count);
  const occupy = ({ server, creates }: Needs) => {
    underWay += 1;
    add(`server ${server}`, 1);
    for (const [vault, count] of creates) add(`vault ${vault}`, count);
  };
  for (const item of begun) {
    const needs = needsOf(item);
    if (!needs) continue;
    const { waitsFor, begunAt = now } = item;
    if (waitsFor === undefined) occupy(needs);
    else if (between(begunAt, now) < waitCountsFor) add(`server ${needs.server}`, 1);
  }
  const fits = ({ server, creates }: Needs) => {
    if ((used.get(`server ${server}`) ?? 0) >= maxPerServer) return false;
    return [...creates].every(([vault, count]) => {
      const taken = used.get(`vault ${vault}`) ?? 0;
      // A vault with very little room takes one rotation at a time.
      return taken === 0 || taken + count <= (perWindow(vault) * roomMs) / limitWindow;
    });
  };
  const hasRoom = () => underWay < maxUnderWay && total < maxBegun;
  return {
    hasRoom,
    take(item) {
      const needs = needsOf(item);
      if (!needs || !hasRoom() || !fits(needs)) return false;
      occupy(needs);
      total += 1;
      return true;
    },
  };
}
