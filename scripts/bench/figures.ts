import type { Figure } from "./figure.ts";
import { start } from "./figures/cold-start.ts";
import { configuration } from "./figures/configuration.ts";
import { crowd, sharedVault } from "./figures/crowd.ts";
import { dead } from "./figures/dead.ts";
import { fleet, simulatedCrowd } from "./figures/fleet.ts";
import { limited } from "./figures/limited.ts";
import { memory } from "./figures/memory-use.ts";
import { profile } from "./figures/profile.ts";
import { scale } from "./figures/scale.ts";
import { throughput } from "./figures/throughput.ts";

/** All figures, in the order of the table. To add one, add a file in `figures/` and a line here. */
export const figures: readonly Figure[] = [
  throughput,
  profile,
  limited,
  crowd,
  sharedVault,
  dead,
  memory,
  configuration,
  start,
  simulatedCrowd,
  fleet,
  scale,
];
