import { hasEnded, type OperatorFreeze, withFreezes } from "../../core/freezes/operator-freeze.ts";
import type { Target } from "../../core/target.ts";
import { between, clockToleranceMs, type Instant, second, toInstant } from "../../core/time.ts";
import type { Journal } from "../../stores/journal.ts";

/** Milliseconds for which this process uses the freezes that it has read. */
const maxAgeMs = 10 * second;

/** Milliseconds after which every worker knows that a freeze was set or ended. */
export const freezesKnownAfterMs = maxAgeMs + clockToleranceMs;

/** The freezes that people have set, as this process knows them. */
export interface Freezes {
  /** The target with the freezes that apply to it. Throws JournalUnavailableError. */
  apply(target: Target): Promise<Target>;
  applyToAll(targets: readonly Target[]): Promise<readonly Target[]>;
  /** A text that changes whenever a freeze is set, begins to count as ended, or is ended early. */
  signature(): Promise<string>;
  /** The next question reads the journal. */
  forget(): void;
}

interface Knowing {
  /** Absent: nobody has set a freeze. */
  readonly freezes?: Freezes;
}

/** The target with the freezes that apply to it now. */
export async function freezeTarget({ freezes }: Knowing, target: Target): Promise<Target> {
  return freezes ? freezes.apply(target) : target;
}

/** Finds a configured target by its id, with the freezes that apply to it now. Undefined when the target does not exist. */
export type FindTarget = (targetId: string) => Promise<Target | undefined>;

/** Every caller that names one target uses this, so that no answer forgets the freezes. */
export function makeFindTarget(known: Knowing, byId: ReadonlyMap<string, Target>): FindTarget {
  return async (targetId) => {
    const target = byId.get(targetId);
    return target && (await freezeTarget(known, target));
  };
}

/** The same for many targets. */
export async function freezeTargets(
  { freezes }: Knowing,
  targets: readonly Target[],
): Promise<readonly Target[]> {
  return freezes ? freezes.applyToAll(targets) : targets;
}

interface Known {
  readonly at: Instant;
  readonly all: readonly OperatorFreeze[];
}

/** Reads the freezes of the journal at most once in ten seconds, however many targets are worked on. */
export function makeFreezes(journal: Pick<Journal, "freezes" | "now">): Freezes {
  let known: Known | undefined;
  let reading: Promise<Known> | undefined;
  let frozen: Frozen | undefined;
  let forgotten = 0;

  async function read(): Promise<Known> {
    const at = toInstant(journal.now());
    // A clock that went backwards must not make old knowledge last longer.
    const age = known && between(known.at, at);
    if (known && age !== undefined && age >= 0 && age < maxAgeMs) return known;
    const mine = (reading ??= readAnew(at));
    try {
      return await mine;
    } finally {
      if (reading === mine) reading = undefined;
    }
  }

  async function readAnew(at: Instant): Promise<Known> {
    const before = forgotten;
    const all = await journal.freezes();
    // The same list as before stays the same object, and so do the policies that were made from it.
    const isSame = JSON.stringify(all) === JSON.stringify(frozen?.all);
    const found = { at, all: isSame && frozen ? frozen.all : all };
    if (before === forgotten) known = found;
    return found;
  }

  async function open(): Promise<Frozen> {
    const { all } = await read();
    const now = toInstant(journal.now());
    const freezes = all.filter((freeze) => !hasEnded(freeze, now));
    const key = freezes.map(({ id }) => id).join(" ");
    if (frozen?.all !== all || frozen.key !== key) {
      frozen = { all, key, freezes, targets: new WeakMap() };
    }
    return frozen;
  }

  return {
    apply: async (target) => applyFreezes(await open(), target),
    async applyToAll(targets) {
      const found = await open();
      return targets.map((target) => applyFreezes(found, target));
    },
    async signature() {
      const { all } = await read();
      const { key } = await open();
      return [key, ...all.map(({ id, endedAt = "" }) => `${id} ${endedAt}`)].join("\n");
    },
    forget() {
      forgotten++;
      [known, reading] = [undefined, undefined];
    },
  };
}

interface Frozen {
  /** As read. */
  readonly all: readonly OperatorFreeze[];
  /** The ids of those that have not ended. */
  readonly key: string;
  readonly freezes: readonly OperatorFreeze[];
  /** A policy is the same object as long as its freezes are the same, because others remember what they computed for it. */
  readonly targets: WeakMap<Target, Target>;
}

function applyFreezes({ freezes, targets }: Frozen, target: Target): Target {
  if (freezes.length === 0) return target;
  const found = targets.get(target) ?? withFreezes(target, freezes);
  targets.set(target, found);
  return found;
}
