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
  /** Each fault lasts no longer than it has to. */
  readonly isQuick?: boolean | undefined;
  /** Ends after so many rounds, if the minutes are not over before. Default: no limit. */
  readonly rounds?: number | undefined;
  readonly signal: AbortSignal;
  /** Is filled in as the soak goes on. */
  readonly report: Report;
  readonly logFile?: string | undefined;
  /** Is told each line as it happens. */
  readonly say: (line: string) => void;
}

/** What a soak knows while it runs. */
export interface Soak extends Omit<SoakOptions, "signal" | "logFile" | "seed"> {
  readonly world: World;
  readonly consumers: Consumers;
  readonly load: Load;
  readonly draw: Draw;
  /** The round that is under way. */
  current: { fault: string; row: Row };
  /** Targets whose consumers the fault itself keeps out. */
  readonly excused: Set<SoakTarget>;
  /** Targets that a fault of an earlier round left broken. Nobody touches them. */
  readonly broken: Set<SoakTarget>;
  /** Targets that no rotation on request cured in time. They may still work again by themselves. */
  readonly slow: Map<SoakTarget, Complaint>;
  /** Problems that nobody was told about yet. An alarm may still come. */
  readonly untold: Complaint[];
}

export interface Complaint {
  readonly target: SoakTarget;
  /** Of the fault that led to it. */
  readonly row: Row;
  /** When that fault began. Milliseconds since 1970. */
  readonly since: number;
}

export const findIntact = ({ world, broken }: Soak): readonly SoakTarget[] =>
  world.targets.filter((target) => !broken.has(target));
