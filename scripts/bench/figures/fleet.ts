import type { Asked, Figure } from "../figure.ts";
import { type FleetOf, type FleetResult, simulateFleet } from "../fleet/simulate.ts";
import { greatest, median } from "../statistics.ts";
import { duration, number, type Row } from "../table.ts";

const longMs = 5_000;

/** A fleet whose targets are all due at once, in simulated time. */
export const fleet: Figure = {
  name: "fleet",
  about: "a simulated fleet, all due at once: what limits it; see --targets, --instances, --vaults",
  async measure(asked: Asked) {
    const { targets = 10_000, instances = 20, vaults = 1, say } = asked;
    const of = { targets, instances, vaults, seed: 1, say };
    return rowsOf(of, await simulateFleet(of));
  },
};

function rowsOf({ targets, instances, vaults }: FleetOf, result: FleetResult): Row[] {
  const { done, tookMs, gaps, busy, cpuMs } = result;
  const lengths = gaps.map(({ lengthMs }) => lengthMs);
  const each = (count: number) => number(count / done, 2);
  return [
    {
      what: `Fleet of ${number(targets)}: all rotated after`,
      value: duration(tookMs),
      note: `simulated; ${instances} instances, vaults: ${vaults}; ${number(done)} done`,
    },
    { what: "Fleet: rotations/s", value: number(done / (tookMs / 1_000), 1) },
    {
      what: "Fleet: answers 429 of the vaults",
      value: number(result.throttled),
      note: `${number(result.attemptsFailed)} attempts failed`,
    },
    {
      what: "Fleet: answers ServerBusy of the storage",
      value: number(busy.partitions + busy.account + busy.queue),
      note: `partitions ${number(busy.partitions)}, account ${number(busy.account)}, queue ${number(busy.queue)}`,
    },
    {
      what: "Fleet: vault creates, of what the limit allows",
      value: `${number((100 * result.vaultCreates) / (vaults * 30 * (tookMs / 1_000)))} %`,
    },
    { what: "Fleet: instances in use, mean", value: `${number(100 * result.inUse)} %` },
    { what: "Fleet: changed but not published, longest", value: duration(greatest(lengths)) },
    { what: "Fleet: changed but not published, median", value: duration(median(lengths)) },
    {
      what: "Fleet: changed but not published, above 5 s",
      value: number(lengths.filter((length) => length > longMs).length),
    },
    { what: "Fleet: messages per rotation", value: each(result.messages) },
    {
      what: "Fleet: journal transactions per rotation",
      value: each(result.transactions),
      note: `the simulation took ${number(cpuMs / done, 1)} ms of CPU for each rotation`,
    },
  ];
}
