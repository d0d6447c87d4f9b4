import type { Row } from "./table.ts";

export interface Asked {
  /** Rotations of a round; each figure has its own default. */
  readonly rotations?: number | undefined;
  /** Of the simulated fleet. */
  readonly targets?: number | undefined;
  readonly instances?: number | undefined;
  readonly vaults?: number | undefined;
  /** Tells a person how far it got. */
  readonly say: (line: string) => void;
}

/** Something that is measured by itself, in a world of its own. */
export interface Figure {
  /** For `--only`. */
  readonly name: string;
  /** For people: what it measures. */
  readonly about: string;
  measure(asked: Asked): Promise<readonly Row[]>;
}
