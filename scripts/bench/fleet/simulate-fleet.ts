import { randomBytes } from "node:crypto";
import { monotonicFactory } from "ulid";
import { defaultCreates } from "../../../shared/core/fleet/vault-limit.ts";
import { day, toInstant } from "../../../shared/core/time.ts";
import { makeAdminRefusals } from "../../../shared/engine/calls/admin-refusals.ts";
import { makeAdminSecrets } from "../../../shared/engine/calls/admin-secrets.ts";
import { makeServers } from "../../../shared/engine/fleet/servers.ts";
import { makeOperations } from "../../../shared/engine/operations.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { makeMemorySystem } from "../../../shared/rotators/memory.ts";
import { makeSharedPace } from "../../../shared/stores/shared-pace.ts";
import { findGaps, type Gap } from "../gaps.ts";
import type { Moment } from "../world/counting.ts";
import { draws, latencies, rateLimit, storageLimits } from "./measured-services.ts";
import { findServer, makeTargets, seedTargets } from "./seed-targets.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
import { simulatedHost, sweepForEver } from "./simulated-host.ts";
import { simulatedStorage } from "./simulated-journal.ts";
import { simulatedQueue } from "./simulated-queue.ts";
import { plainTarget, simulatedTarget } from "./simulated-target.ts";
import { simulatedVault } from "./simulated-vault.ts";

export interface FleetOptions {
  readonly targets: number;
  readonly instances: number;
  readonly vaults: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** The result for a fleet whose targets were all due at once. Times are simulated. */
export interface FleetResult {
  readonly done: number;
  /** From the first sweep to the last rotation done. */
  readonly tookMs: number;
  readonly gaps: readonly Gap[];
  /** Answers 429 of the vaults. */
  readonly throttled: number;
  /** The number of ServerBusy answers, by busy part. */
  readonly busy: { readonly partitions: number; readonly account: number; readonly queue: number };
  readonly attemptsFailed: number;
  readonly messages: number;
  readonly transactions: number;
  /** Rows that these transactions touched. */
  readonly entities: number;
  readonly vaultCreates: number;
  /** All requests, including creates. */
  readonly vaultRequests: number;
  /** Lines of the log. */
  readonly events: number;
  /** The mean for one message. */
  readonly workMs: number;
  /** The mean fraction of the messages that all instances can work on at once. */
  readonly inUse: number;
  /** Real CPU in milliseconds, without seeding. */
  readonly cpuMs: number;
}

const start = Date.parse("2026-01-01T00:00:00.000Z");

/** Simulated milliseconds after which a simulation is stopped. */
const longest = 2 * day;

/** Rotates a fleet with the real engine, in simulated time. */
export async function simulateFleet(options: FleetOptions): Promise<FleetResult> {
  const clock = simulatedClock(start);
  const services = makeServices(options, clock);
  const { targets, seededPorts, system, portsOf, queue, changed, written } = services;
  const { vaults, storage, account } = services;
  options.say(`adopting ${options.targets} targets`);
  await seedTargets({ targets, system, ports: seededPorts });
  // Nothing is due before this time.
  void clock.sleep(90 * day);
  await clock.run(() => false);
  const began = clock.now();

  const seen = { done: 0, failed: 0, events: 0 };
  const apps = Array.from({ length: options.instances }, () =>
    makeOperations({ ports: portsOf(), queue, targets, vaultAt: () => undefined })(({ type }) => {
      seen.events += 1;
      if (type === "attempt-failed") seen.failed += 1;
      if (type !== "succeeded") return;
      seen.done += 1;
      if (seen.done % Math.ceil(options.targets / 10) === 0) {
        options.say(`${seen.done} done after ${Math.round((clock.now() - began) / 1_000)} s`);
      }
    }),
  );
  const cpu = process.cpuUsage();
  const hosts = apps.map((app) => simulatedHost(clock, queue, app));
  const [first] = apps;
  if (first) void sweepForEver(clock, first);
  const inUse = sampleUse(clock, () => total(hosts, (host) => host.running()));
  await clock.run(() => seen.done >= options.targets || clock.now() - began > longest);
  const { user, system: kernel } = process.cpuUsage(cpu);
  return {
    done: seen.done,
    tookMs: clock.now() - began,
    gaps: findGaps(changed, written, clock.now()),
    throttled: total(vaults, (vault) => vault.throttled()),
    busy: { partitions: storage.busy(), account: account.refused, queue: queue.busy() },
    attemptsFailed: seen.failed,
    messages: queue.sends(),
    transactions: storage.transactions(),
    entities: storage.entities(),
    vaultCreates: total(vaults, (vault) => vault.creates()),
    vaultRequests: total(vaults, (vault) => vault.requests()),
    events: seen.events,
    workMs: total(hosts, (host) => host.worked()) / queue.sends(),
    inUse: inUse() / total(hosts, (host) => host.most),
    cpuMs: (user + kernel) / 1_000,
  };
}

/** Makes doubles of all services, and the ports through which instances use them. */
function makeServices(fleet: FleetOptions, clock: SimulatedClock) {
  const { targets: count, vaults: vaultCount, seed } = fleet;
  const draw = draws(seed);
  const latency = latencies(draw);
  const [changed, written]: [Moment[], Moment[]] = [[], []];
  const note = (moments: Moment[]) => (name: string) =>
    void moments.push({ name, at: clock.now() });
  const newVersion = numberVersions();
  const names = Array.from({ length: vaultCount }, (_, index) => `vault-${index}`);
  const vaults = names.map((name) =>
    simulatedVault({ name, clock, latency, newVersion, onWritten: note(written) }),
  );
  const byName = new Map(names.map((name, index) => [name, vaults[index]]));
  const system = makeMemorySystem(() => clock.now());
  const account = rateLimit(storageLimits.account);
  const storage = simulatedStorage({ clock, latency, account });
  const queue = simulatedQueue({ clock, latency, account });
  const target = simulatedTarget({ system, clock, latency, onChanged: note(changed) });
  const rotator = { ...target, endpoint: findServer };
  const newUlid = monotonicFactory(draw);

  /** Makes the ports of one instance. */
  const portsOf = (): Omit<Ports, "emit"> => ({
    journal: storage.remote,
    vault: (name) => byName.get(name)?.remote,
    rotator: () => rotator,
    consumer: (name) => {
      throw new Error(`the fleet has no consumer ${name}`);
    },
    notifiers: [],
    getToken: () => Promise.reject(new Error("the fleet has no identity")),
    targetsUsing: () => [],
    followers: () => [],
    pace: makeSharedPace(
      storage.pace,
      () => defaultCreates,
      () => new Date(clock.now()),
    ),
    adminRefusals: makeAdminRefusals(),
    adminSecrets: makeAdminSecrets(),
    servers: makeServers({
      now: () => toInstant(new Date(clock.now())),
      pause: (ms) => clock.sleep(ms),
      draw,
    }),
    newId: () => newUlid(clock.now()),
    randomBytes,
    pause: (ms) => clock.sleep(ms),
    deadline: (ms) => clock.deadline(ms),
  });
  const seededPorts: Omit<Ports, "emit"> = {
    ...portsOf(),
    journal: storage.journal,
    vault: (name) => byName.get(name)?.vault,
    rotator: () => plainTarget(system),
  };
  const targets = makeTargets(count, names);
  return {
    ...{ targets, seededPorts, system, portsOf, queue, changed, written },
    ...{ vaults, storage, account },
  };
}

function numberVersions(): () => string {
  let versions = 0;
  return () => (++versions).toString(16).padStart(32, "0");
}

const total = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

/** Returns the mean of a value that is read every second. */
function sampleUse(clock: SimulatedClock, look: () => number): () => number {
  let [sum, looks] = [0, 0];
  const sample = async () => {
    for (;;) {
      await clock.sleep(1_000);
      sum += look();
      looks += 1;
    }
  };
  void sample();
  return () => sum / Math.max(1, looks);
}
