import type { Figure } from "./figure.ts";
import { throughput } from "./figures/throughput.ts";

/** Everything that is measured, in the order of the table. */
export const figures: readonly Figure[] = [throughput];
