import { maxWorkers } from "../fleet/server-limits.ts";
import { usualRotation } from "../fleet/sweeps.ts";
import { limitWindow } from "../fleet/vault-limit.ts";
import { type Target, toPendingName } from "../target.ts";
import { second } from "../time.ts";
import type { Estimate, Share } from "./breach.ts";
import type { Candidate } from "./candidate.ts";

/** How many vaults and servers an estimate lists. */
const maxListed = 20;

/** How many versions each vault gets from one rotation: the pending one, and the published one. */
export function countCreates(target: Target): ReadonlyMap<string, number> {
  const vaults = [toPendingName(target).vault, target.publish.vault];
  const byVault = Map.groupBy(vaults, (vault) => vault);
  return new Map([...byVault].map(([vault, all]) => [vault, all.length]));
}

/**
 * How long the rotations take if nothing fails: as long as the slowest vault creates the versions, or as long as the slowest server
 * changes passwords, of which one instance changes a few at a time. `perWindow`: versions that a vault creates in 10 seconds.
 */
export function estimateBreach(
  candidates: readonly Candidate[],
  perWindow: (vault: string) => number,
): Estimate {
  const rotations = sum(candidates.map(({ server }) => [server, 1]));
  const creates = sum(candidates.flatMap(({ target }) => [...countCreates(target)]));
  const vaults = slowestFirst(
    [...creates].map(([name, count]) => {
      const perTenSeconds = perWindow(name);
      const seconds = Math.ceil((count * limitWindow) / perTenSeconds / second);
      return { name, count, seconds, perTenSeconds };
    }),
  );
  const servers = slowestFirst(
    [...rotations].map(([name, count]) => {
      const seconds = Math.ceil((Math.ceil(count / maxWorkers) * usualRotation) / second);
      return { name, count, seconds };
    }),
  );
  const [slowest = nothing] = slowestFirst([
    ...vaults.slice(0, 1).map((one) => ({ ...one, name: `vault ${one.name}` })),
    ...servers.slice(0, 1).map((one) => ({ ...one, name: `server ${one.name}` })),
  ]);
  return {
    seconds: slowest.seconds + usualRotation / second,
    limitedBy: slowest.name,
    vaults: vaults.slice(0, maxListed),
    servers: servers.slice(0, maxListed),
  };
}

const nothing: Share = { name: "nothing", count: 0, seconds: 0 };

function sum(counts: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

function slowestFirst<Item extends Share>(shares: readonly Item[]): readonly Item[] {
  return shares.toSorted((a, b) => b.seconds - a.seconds || (a.name < b.name ? -1 : 1));
}
