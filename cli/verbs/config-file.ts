import { existsSync } from "node:fs";
import { usageFailure } from "../exit-codes.ts";

/** The default of `--config`. */
export const usualConfig = "keyturn.yaml";

/** Throws Failure if the configuration with the usual name is wanted, and this folder has none. */
export function requireConfig(path: string): void {
  if (path !== usualConfig || existsSync(path)) return;
  throw usageFailure(
    `${usualConfig} does not exist in this folder. Name the file or folder of the configuration with --config.`,
  );
}
