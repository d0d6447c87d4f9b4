import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { OutlinedTarget } from "../../../shared/app.ts";
import { requireReadable } from "../app/given-path.ts";
import { logsIn, parsePublished } from "../demo/log-in.ts";
import { seeds } from "../demo/seeds.ts";

/** A target of the configuration that runs, as the console shows it. */
export interface ShownTarget {
  readonly id: string;
  /** One account, or two that take turns. */
  readonly accounts: readonly string[];
  /** Describes the target to the person at the console. */
  readonly about: string;
  /** The published secret. `vaultUrl` is absent for seeded targets, whose secrets are in the emulator. */
  readonly publish: { readonly vaultUrl?: string; readonly name: string };
  /** Whether the server refuses a superseded password within seconds after a rotation. */
  readonly endsAtOnce: boolean;
  /**
   * Logs in with a value of the published secret, as an application would. Throws when the server gives no verdict; the error
   * contains no password.
   */
  readonly logIn: (value: string) => Promise<"accepted" | "refused">;
}

export interface Shown {
  readonly targets: readonly ShownTarget[];
  /** Warnings of the configuration check. */
  readonly warnings: readonly string[];
}

/**
 * Lists the targets of a configuration, or the seeded ones without a configuration. Throws an error that lists every problem
 * of the configuration. `caFile` is read only when a seeded target logs in.
 */
export async function listShownTargets(config: string | undefined, caFile = ""): Promise<Shown> {
  return config === undefined
    ? { targets: seededTargets(caFile), warnings: [] }
    : listTargets(resolve(config));
}

/** Selects the targets whose published secret is in this vault: the consumer can read no other secrets. */
export function listWatched(vaultUrl: string, targets: readonly ShownTarget[]): ShownTarget[] {
  const own = new URL(vaultUrl).origin;
  return targets.filter(({ publish }) => new URL(publish.vaultUrl ?? own).origin === own);
}

function seededTargets(caFile: string): ShownTarget[] {
  return seeds.map(({ id, accounts, about }) => ({
    id,
    accounts,
    about,
    publish: { name: id },
    endsAtOnce: true,
    logIn: async (value) => logsIn(parsePublished(id, value), await readFile(caFile, "utf8")),
  }));
}

async function listTargets(config: string): Promise<Shown> {
  await requireReadable(config);
  // Imported only when needed, because the app loads every Azure library.
  const { checkConfig } = await import("../../../shared/app.ts");
  const { targets, warnings } = await checkConfig(config, dirname(config));
  return { targets: targets.map(shown), warnings };
}

function shown({ id, type, accounts, publish, logIn }: OutlinedTarget): ShownTarget {
  const [first = "", second] = accounts;
  return {
    id,
    accounts,
    about: `${type}: ${second === undefined ? `${first}, changed in place` : `${first} and ${second} take turns`}`,
    publish,
    // The grace period of a pair may be days.
    endsAtOnce: second === undefined,
    logIn: async (value) => ((await logIn(value)) === "accepted" ? "accepted" : "refused"),
  };
}
