import type { Grid, Row } from "./output/table.ts";

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

/** Rows of the one table of the bench, or tables by themselves. */
export type Result = readonly Row[] | { readonly grids: readonly Grid[] };

/** Something that is measured by itself, in a world of its own. */
export interface Figure {
  /** For `--only`, and for the marks in the page. */
  readonly name: string;
  /** The page of docs/explanation that has its result. Default: performance. */
  readonly page?: "scale";
  /** For people: what it measures. */
  readonly about: string;
  measure(asked: Asked): Promise<Result>;
}
