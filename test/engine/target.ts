import { defaultPasswordRules } from "../../shared/core/secrets/password.ts";
import type { Authority, Target } from "../../shared/core/target.ts";
import { day, hour, minute } from "../../shared/core/time.ts";
import type { MemorySystem } from "../../shared/rotators/memory.ts";
import { makeAddingRotator, makeKeysRotator } from "../../shared/rotators/memory-minting.ts";
import type { Capabilities, Rotator } from "../../shared/rotators/rotator.ts";
import type { Kind } from "./kinds.ts";

/** Milliseconds for which a request of a minted kind may take effect late. */
export const settleMs = 15 * minute;

export function makeMinting(
  how: NonNullable<Kind["mints"]>,
  system: MemorySystem,
  { propagation }: Capabilities,
  lifetime?: number,
): Rotator<Record<string, never>> {
  return how === "adds"
    ? makeAddingRotator(system, { propagation }, lifetime)
    : makeKeysRotator(
        system,
        { settleTime: settleMs, datesCreation: how === "dated" },
        { propagation },
      );
}

export function makeTarget(kind: Kind): Target {
  const authority: Authority =
    kind.as === "admin"
      ? { as: "admin", secret: { vault: "main", name: "app-admin" } }
      : { as: kind.as };
  const [first = "", second] = kind.accounts;
  return {
    id: "app",
    type: "memory",
    options: {},
    slots: [
      { account: first },
      ...(second ? [{ account: second, initial: { vault: "main", name: "app-second" } }] : []),
    ],
    authority,
    publish: { vault: "main", name: "app-db", as: "json" },
    policy: {
      name: "test",
      every: 90 * day,
      password: defaultPasswordRules,
      retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
      verifyEvery: kind.verifyEvery ?? day,
      ...(kind.retire && { retire: kind.retire }),
    },
    policyWhy: "named by the target",
    policiesPassedOver: [],
    grace: 24 * hour,
    ...(kind.overlap && { overlap: true }),
    ...(kind.mints && { origin: "system" }),
    ...(kind.people && { origin: "people" }),
    ...(kind.lifetime !== undefined && { lifetime: kind.lifetime }),
    consumers: ["app"],
    tags: {},
  };
}
