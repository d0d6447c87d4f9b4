import { fileURLToPath } from "node:url";
import type { StartOptions } from "./world.ts";

const laterClock = fileURLToPath(new URL("later-clock.ts", import.meta.url));

/** A host whose clock is so many milliseconds ahead, as if everybody had waited for so long before its start. */
export const startedLater = (milliseconds: number): StartOptions => ({
  nodeArguments: ["--import", laterClock],
  settings: { TEST_CLOCK_AHEAD_MS: String(milliseconds) },
});
