import type { Figure } from "./figure.ts";
import { configuration } from "./figures/configuration.ts";
import { crowd, sharedVault } from "./figures/crowd.ts";
import { dead } from "./figures/dead.ts";
import { fleet, simulatedCrowd } from "./figures/fleet.ts";
import { limited } from "./figures/limited.ts";
import { memory } from "./figures/memory.ts";
import { profile } from "./figures/profile.ts";
import { scale } from "./figures/scale.ts";
import { start } from "./figures/start.ts";
import { throughput } from "./figures/throughput.ts";

/** Everything that is measured, in the order of the table. Another figure is a file of `figures/` and a line here. */
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
