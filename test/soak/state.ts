import type { Fault } from "./faults/fault.ts";
import type { Consumers, Load } from "./load.ts";
import type { Report, Row } from "./report.ts";
import type { Draw } from "./world/draw.ts";
import type { SoakTarget } from "./world/targets.ts";
import type { World } from "./world/world.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Whether each fault is as short as possible. */
  readonly isQuick?: boolean | undefined;
  /** The maximum number of rounds. Default: no limit. */
  readonly rounds?: number | undefined;
  readonly signal: AbortSignal;
  /** The soak fills it in while it runs. */
  readonly report: Report;
  readonly logFile?: string | undefined;
  /** Receives each line of the progress. */
  readonly say: (line: string) => void;
}

/** The state of a running soak. */
export interface Soak extends Omit<SoakOptions, "signal" | "logFile" | "seed"> {
  readonly world: World;
  readonly consumers: Consumers;
  readonly load: Load;
  readonly draw: Draw;
  /** The current round. */
  current: { fault: string; row: Row };
  /** Targets whose log-ins the fault itself prevents. */
  readonly excused: Set<SoakTarget>;
  /** Targets that an earlier fault left broken. They are not used any more. */
  readonly broken: Set<SoakTarget>;
  /** Targets that no requested rotation repaired in time. They may still recover. */
  readonly slow: Map<SoakTarget, Complaint>;
  /** Problems without an alarm so far. */
  readonly untold: Complaint[];
}

export interface Complaint {
  readonly target: SoakTarget;
  /** The row of the fault that caused it. */
  readonly row: Row;
  /** When that fault began. Milliseconds since 1970. */
  readonly since: number;
}

export const findIntact = ({ world, broken }: Soak): readonly SoakTarget[] =>
  world.targets.filter((target) => !broken.has(target));
