import { type Draw, pick } from "../world/draw.ts";
import { isPair, type SoakTarget } from "../world/targets.ts";
import type { World } from "../world/world.ts";

/** What a fault may do besides breaking something. */
export interface Stage {
  readonly world: World;
  /** Those that no earlier fault left broken. */
  readonly targets: readonly SoakTarget[];
  /** The draws of this round. */
  readonly draw: Draw;
  /** Requests a rotation, once the target's consumer uses what is published. */
  readonly ask: (...targets: readonly SoakTarget[]) => Promise<void>;
  /** Waits until the consumers of these targets use what is published. */
  readonly awaitConsumers: (...targets: readonly SoakTarget[]) => Promise<void>;
  /** Refused log-ins of these targets are the fault's own doing until they work again. */
  readonly excuse: (...targets: readonly SoakTarget[]) => void;
}

/** Something that goes wrong for a while. */
export interface Fault {
  readonly name: string;
  /** How long it lasts, in milliseconds. */
  readonly holdMs: readonly [number, number];
  /** How long nobody requests a rotation after it has ended, in milliseconds. Default: 0. */
  readonly unaskedMs?: number;
  /** Makes it happen, and returns how it ends. */
  begin(stage: Stage): Promise<Begun>;
}

export interface Begun {
  /** The targets that a person looks at afterwards, and requests a rotation of. */
  readonly concerns: readonly SoakTarget[];
  /** Ends the fault, and does what a person has to do after it. */
  end(): Promise<void>;
}

/** A pair and a single account, for faults that hit some targets and not others. */
export function pickVictims({ targets, draw }: Stage): readonly SoakTarget[] {
  const pairs = targets.filter(isPair);
  const singles = targets.filter((target) => !isPair(target));
  return [pick(draw, "pair", pairs), pick(draw, "single", singles)];
}
