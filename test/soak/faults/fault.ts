import { type Draw, pick } from "../world/draw.ts";
import { isPair, type SoakTarget } from "../world/targets.ts";
import type { World } from "../world/world.ts";

/** The context of a fault. */
export interface Stage {
  readonly world: World;
  /** The targets that no earlier fault left broken. */
  readonly targets: readonly SoakTarget[];
  /** The random numbers of this round. */
  readonly draw: Draw;
  /** Requests a rotation when the target's consumer uses the published version. */
  readonly ask: (...targets: readonly SoakTarget[]) => Promise<void>;
  /** Waits until the consumers of these targets use the published version. */
  readonly awaitConsumers: (...targets: readonly SoakTarget[]) => Promise<void>;
  /** Attributes refused log-ins of these targets to the fault until they work again. */
  readonly excuse: (...targets: readonly SoakTarget[]) => void;
}

/** A temporary fault. */
export interface Fault {
  readonly name: string;
  /** How long it lasts, in milliseconds. */
  readonly holdMs: readonly [number, number];
  /** Milliseconds without rotation requests after its end. Default: 0. */
  readonly unaskedMs?: number;
  /** Starts the fault, and returns how to end it. */
  begin(stage: Stage): Promise<Begun>;
}

export interface Begun {
  /** The targets that a person checks afterwards, and requests a rotation of. */
  readonly concerns: readonly SoakTarget[];
  /** Ends the fault, and does the work that a person must do after it. */
  end(): Promise<void>;
}

/** A pair and a single account, for faults that hit some targets and not others. */
export function pickVictims({ targets, draw }: Stage): readonly SoakTarget[] {
  const pairs = targets.filter(isPair);
  const singles = targets.filter((target) => !isPair(target));
  return [pick(draw, "pair", pairs), pick(draw, "single", singles)];
}
