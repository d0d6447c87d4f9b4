import { dirname, resolve } from "node:path";
import { checkConfig, type OutlinedTarget } from "../../../shared/app.ts";
import { seeds } from "./seeds.ts";

/** A target of the configuration that runs, as the console shows it. */
export interface ShownTarget extends OutlinedTarget {
  /** Describes the target to the person at the console. */
  readonly about: string;
  /** Whether a superseded secret is refused within seconds after a rotation. */
  readonly endsSoon: boolean;
}

/** Checks a configuration and lists its targets. Rejects with every problem of the configuration. */
export async function readTargets(config: string) {
  const path = resolve(config);
  return checkConfig(path, dirname(path));
}

/** Selects the targets whose published secret is in this vault: the consumer can read no other secrets. */
export function selectWatched<Target extends OutlinedTarget>(
  targets: readonly Target[],
  vaultUrl: string,
): Target[] {
  const { origin } = new URL(vaultUrl);
  return targets.filter(({ publish }) => new URL(publish.vaultUrl).origin === origin);
}

export function describeSeeded(target: OutlinedTarget): ShownTarget {
  const about = seeds.find(({ id }) => id === target.id)?.about ?? "";
  return { ...target, about, endsSoon: true };
}

export function describeOwn(target: OutlinedTarget): ShownTarget {
  const { type, accounts, keepsSuperseded } = target;
  const single = keepsSuperseded ? ", with two secrets during the grace" : ", changed in place";
  const how = accounts.length === 2 ? " take turns" : single;
  // The grace may be days.
  return {
    ...target,
    about: `${type}: ${accounts.join(" and ")}${how}`,
    endsSoon: !keepsSuperseded,
  };
}
