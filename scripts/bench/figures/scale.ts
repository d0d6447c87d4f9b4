import type { Figure } from "../figure.ts";
import { storageLimits } from "../fleet/measured-services.ts";
import { type FleetResult, simulateFleet } from "../fleet/simulate-fleet.ts";
import { duration, type Grid, number } from "../output/format-table.ts";
import { prices } from "../output/prices.ts";
import { hostSettings } from "../world/host-settings.ts";

const sizes = [100, 1_000, 10_000, 100_000, 1_000_000];

/** Creates of a vault in one second. */
const vaultCreates = 30;
/** The limit of a subscription in each region, as a multiple of the limit of a vault. */
const vaultsOfSubscription = 5;
const partitions = 16;
const hour = 3_600;
const minutesOfMonth = 30 * 24 * 60;

/** Memory of an instance in GB, the default of Flex Consumption. */
const instanceGB = 2;
/** The shortest time that Flex Consumption bills, in seconds. */
const minBilledSeconds = 1;
/** Bytes of one log line with the additions of the platform, and of the rows of one rotation with its history. */
const [lineBytes, rowBytes] = [1_200, 4_000];
/** Months for which history is kept. */
const keptMonths = 13;

/** The cost of one rotation, measured in a small simulated fleet that reaches no limit. */
type Each = ReturnType<typeof perRotation>;

function perRotation(result: FleetResult) {
  const { done, workMs } = result;
  return {
    creates: result.vaultCreates / done,
    vaultRequests: result.vaultRequests / done,
    transactions: result.transactions / done,
    entities: result.entities / done,
    messages: result.messages / done,
    events: result.events / done,
    seconds: workMs / 1_000,
  };
}

/** Computes the tables of docs/explanation/scale.md from the calls that the engine makes today. */
export const scale: Figure = {
  name: "scale",
  page: "scale",
  about: "the tables of docs/explanation/scale.md: limits and cost from 100 to 1,000,000 targets",
  async measure({ say }) {
    const of = { targets: 100, instances: 4, vaults: 4, seed: 1, say };
    const each = perRotation(await simulateFleet(of));
    return { grids: [toCounters(each), toLimits(each), monthlyCost(each)] };
  },
};

function toCounters(each: Each): Grid {
  const perVault = vaultCreates / each.creates;
  const slots = hostSettings().batchSize + hostSettings().newBatchThreshold;
  const perInstance = slots / each.seconds;
  const perAccount = storageLimits.account / (each.entities + 1);
  const perPartitions = (partitions * storageLimits.partition) / (each.entities + 1);
  const perQueue = storageLimits.queue / (each.messages + 2);
  const line = (what: string, used: string, limit: string, rate: number) => [
    what,
    used,
    limit,
    number(rate, rate < 100 ? 1 : 0),
  ];
  return [
    ["What", "One rotation uses", "Limit", "Rotations/s at most"],
    line("creates of one vault", number(each.creates, 1), "300 in 10 s", perVault),
    line(
      "messages that one instance works on",
      duration(1_000 * each.seconds),
      `${slots} at once`,
      perInstance,
    ),
    line("entities of the storage account", number(each.entities + 1, 0), "20,000/s", perAccount),
    line("entities of 16 partitions", number(each.entities + 1, 0), "2,000/s each", perPartitions),
    line("messages of the queue", number(each.messages + 2, 0), "2,000/s", perQueue),
  ];
}

function toLimits(each: Each): Grid {
  const slots = hostSettings().batchSize + hostSettings().newBatchThreshold;
  return [
    [
      ...["Targets", "Mean rotations/s, every 30 days", "All at once, one vault"],
      ...["Vaults for one hour", "Subscriptions for one hour", "Instances for one hour"],
      "Storage account in that hour",
    ],
    ...sizes.map((targets) => {
      const perSecond = targets / hour;
      const seconds = (targets * each.creates) / vaultCreates;
      return [
        number(targets),
        number(targets / (60 * minutesOfMonth), 5),
        duration(1_000 * seconds),
        number(Math.ceil(seconds / hour)),
        number(Math.ceil(seconds / hour / vaultsOfSubscription)),
        number(Math.ceil((perSecond * each.seconds) / slots)),
        `${number((100 * perSecond * (each.entities + 1)) / storageLimits.account, 1)} %`,
      ];
    }),
  ];
}

function monthlyCost(each: Each): Grid {
  // Every minute, the sweep lists the due rows of all partitions and prunes.
  const sweeps = {
    functions:
      minutesOfMonth * (minBilledSeconds * instanceGB * prices.gbSecond + prices.execution),
    storage: minutesOfMonth * (partitions + 2) * prices.tableTransactions,
  };
  const dollars = (amount: number) => `$${number(amount, 2)}`;
  return [
    ["Targets", "Key Vault", "Functions", "Storage", "Logs", "A month"],
    ...sizes.map((targets) => {
      const billed = Math.max(minBilledSeconds, each.seconds) * instanceGB * prices.gbSecond;
      const transactions = (each.transactions + 1) * prices.tableTransactions;
      const messages = 3 * each.messages * prices.queueOperations;
      const kept = (targets * keptMonths * rowBytes * prices.tableGiB) / 2 ** 30;
      const vault = targets * each.vaultRequests * prices.vaultOperations;
      const functions = targets * (billed + prices.execution) + sweeps.functions;
      const storage = targets * (transactions + messages) + kept + sweeps.storage;
      const logs = (targets * each.events * lineBytes * prices.logGB) / 1e9;
      const sum = vault + functions + storage + logs;
      return [number(targets), ...[vault, functions, storage, logs, sum].map(dollars)];
    }),
  ];
}
