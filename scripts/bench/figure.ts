import type { Grid, Row } from "./output/format-table.ts";

export interface Asked {
  /** Rotations of a round. Each figure has its own default. */
  readonly rotations?: number | undefined;
  /** Targets of the simulated fleet. */
  readonly targets?: number | undefined;
  readonly instances?: number | undefined;
  readonly vaults?: number | undefined;
  /** Prints the progress. */
  readonly say: (line: string) => void;
}

/** Rows for the common table of the bench, or separate tables. */
export type Result = readonly Row[] | { readonly grids: readonly Grid[] };

/** One measurement, which runs in its own world. */
export interface Figure {
  /** The name in `--only` and in the marks of the page. */
  readonly name: string;
  /** The page of docs/explanation with the result. Default: performance. */
  readonly page?: "scale";
  /** Describes the measurement in the usage text. */
  readonly about: string;
  measure(asked: Asked): Promise<Result>;
}
