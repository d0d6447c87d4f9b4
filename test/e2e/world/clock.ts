import { fileURLToPath } from "node:url";
import type { StartOptions } from "./world.ts";

const nodeArguments = ["--import", fileURLToPath(new URL("later-clock.ts", import.meta.url))];

/** A host whose own clock is wrong by so many milliseconds; negative when it is behind. */
export const withClockAhead = (milliseconds: number): StartOptions => ({
  nodeArguments,
  settings: { TEST_CLOCK_AHEAD_MS: String(milliseconds) },
});

/** A host for which everybody has waited for so many milliseconds before its start, the storage service included. */
export const startedLater = (milliseconds: number): StartOptions => ({
  ...withClockAhead(milliseconds),
  journalAheadMs: milliseconds,
});
