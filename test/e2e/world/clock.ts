import { fileURLToPath } from "node:url";
import type { StartOptions } from "./world.ts";

const nodeArguments = ["--import", fileURLToPath(new URL("later-clock.ts", import.meta.url))];

/** Settings for a host whose clock is ahead by this many milliseconds; negative when it is behind. */
export const withClockAhead = (milliseconds: number): StartOptions => ({
  nodeArguments,
  settings: { TEST_CLOCK_AHEAD_MS: String(milliseconds) },
});

/** Settings for a host that starts this many milliseconds later, for the storage service as well. */
export const startedLater = (milliseconds: number): StartOptions => ({
  ...withClockAhead(milliseconds),
  journalAheadMs: milliseconds,
});
