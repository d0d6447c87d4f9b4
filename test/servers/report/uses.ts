import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { System } from "../server.ts";

/** `real`: started by the tests. `own`: named by the environment. `double`: this project's imitation. */
export type Kind = "real" | "own" | "double";

/** A test file ran against a server. */
export interface Use {
  /** Absolute path. */
  readonly file: string;
  readonly system: System;
  readonly kind: Kind;
  /** As the server reports it; a double has none. */
  readonly version?: string;
}

/** Names the folder that workers write to; the reporter sets it. */
export const usesVariable = "KEYTURN_TEST_USES";

let current: string | undefined;

/** Says which test file runs in this process from now on. */
export function beginFile(file: string | undefined): void {
  current = file;
}

/** Reports that the present test file runs against a server. Outside of a test run, does nothing. */
export function noteUse(system: System, kind: Kind, version?: string): void {
  const { [usesVariable]: folder } = process.env;
  if (folder === undefined || current === undefined) return;
  const use: Use = { file: current, system, kind, ...(version === undefined ? {} : { version }) };
  appendFileSync(join(folder, `${String(process.pid)}.jsonl`), `${JSON.stringify(use)}\n`);
}
