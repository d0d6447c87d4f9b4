import type { Asked, Figure } from "../figure.ts";
import { type FleetOptions, type FleetResult, simulateFleet } from "../fleet/simulate-fleet.ts";
import { duration, number, type Row } from "../output/format-table.ts";
import { greatest, median } from "../output/statistics.ts";

const longMs = 5_000;
const seed = 1;

/** Measures a fleet whose targets are all due at once, in simulated time. */
export const fleet: Figure = {
  name: "fleet",
  about: "a simulated fleet, all due at once: what limits it; see --targets, --instances, --vaults",
  async measure(asked: Asked) {
    const { targets = 10_000, instances = 20, vaults = 1, say } = asked;
    const of = { targets, instances, vaults, seed, say };
    return toRows(of, await simulateFleet(of));
  },
};

/** Measures the same as `crowd`, but in simulated time, so that the machine is never the limit. */
export const simulatedCrowd: Figure = {
  name: "simulated-crowd",
  about: "600 rotations at once on eight instances and one vault, in simulated time",
  async measure({ say }) {
    const of = { targets: 600, instances: 8, vaults: 1, seed, say };
    return toRows(of, await simulateFleet(of));
  },
};

function toRows({ targets, instances, vaults }: FleetOptions, result: FleetResult): Row[] {
  const { done, tookMs, gaps, busy, cpuMs } = result;
  const lengths = gaps.map(({ lengthMs }) => lengthMs);
  const each = (count: number) => number(count / done, 2);
  return [
    {
      what: `${number(targets)} targets due at once: all rotated after`,
      value: duration(tookMs),
      note: `simulated; ${instances} instances, vaults: ${vaults}; ${number(done)} done`,
    },
    { what: "Rotations/s", value: number(done / (tookMs / 1_000), 1) },
    {
      what: "Answers 429 of the vaults",
      value: number(result.throttled),
      note: `${number(result.attemptsFailed)} attempts failed`,
    },
    {
      what: "Answers ServerBusy of the storage",
      value: number(busy.partitions + busy.account + busy.queue),
      note: `partitions ${number(busy.partitions)}, account ${number(busy.account)}, queue ${number(busy.queue)}`,
    },
    {
      what: "Vault creates, of what the limit allows",
      value: `${number((100 * result.vaultCreates) / (vaults * 30 * (tookMs / 1_000)))} %`,
    },
    { what: "Instances in use, mean", value: `${number(100 * result.inUse)} %` },
    { what: "Changed but not published, longest", value: duration(greatest(lengths)) },
    { what: "Changed but not published, median", value: duration(median(lengths)) },
    {
      what: "Changed but not published, above 5 s",
      value: number(lengths.filter((length) => length > longMs).length),
    },
    { what: "Messages per rotation", value: each(result.messages) },
    {
      what: "Journal transactions per rotation",
      value: each(result.transactions),
      note: `the simulation took ${number(cpuMs / done, 1)} ms of CPU for each rotation`,
    },
  ];
}
