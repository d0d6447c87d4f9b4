import { between, pick, shuffled } from "../world/draw.ts";
import type { SoakHost } from "../world/hosts.ts";
import type { Begun, Fault, Stage } from "./fault.ts";

const second = 1_000;
const minute = 60 * second;

/** Milliseconds within which a requested rotation has started. */
const rotationMs = [0, 1_500] as const;

async function startRotations({ targets, draw, ask }: Stage): Promise<void> {
  await ask(...shuffled(draw, "asked", targets).slice(0, 3));
}

const getHost = ({ world, draw }: Stage): SoakHost => pick(draw, "host", world.hosts);

async function killHost(stage: Stage): Promise<Begun> {
  const host = getHost(stage);
  await startRotations(stage);
  await stage.world.pause(between(stage.draw, "moment", rotationMs));
  await host.kill();
  return { concerns: [], end: () => host.start() };
}

async function killBothHosts(stage: Stage): Promise<Begun> {
  const { hosts } = stage.world;
  await startRotations(stage);
  await stage.world.pause(between(stage.draw, "moment", rotationMs));
  await Promise.all(hosts.map((host) => host.kill()));
  return {
    concerns: [],
    async end() {
      for (const host of hosts) await host.start();
    },
  };
}

async function suspendHost(stage: Stage): Promise<Begun> {
  const host = getHost(stage);
  await startRotations(stage);
  await stage.world.pause(between(stage.draw, "moment", rotationMs));
  host.suspend();
  return {
    concerns: [],
    end() {
      host.resume();
      return Promise.resolve();
    },
  };
}

/** The other host keeps its clock, so both hosts work on the same targets with different clocks. */
async function shiftClock(stage: Stage, aheadMs: number): Promise<Begun> {
  const { world } = stage;
  const host = getHost(stage);
  await host.kill();
  await host.start(aheadMs);
  await startRotations(stage);
  return {
    concerns: [],
    async end() {
      await startRotations(stage);
      await world.pause(between(stage.draw, "moment", rotationMs));
      await host.kill();
      await host.start();
    },
  };
}

export const hostFaults: readonly Fault[] = [
  { name: "host killed", holdMs: [0, 5 * second], begin: killHost },
  { name: "both hosts killed", holdMs: [0, 5 * second], begin: killBothHosts },
  {
    name: "host suspended beyond its claim",
    holdMs: [125 * second, 135 * second],
    begin: suspendHost,
  },
  {
    name: "clock of a host 10 min behind",
    holdMs: [15 * second, 30 * second],
    begin: (stage) => shiftClock(stage, -10 * minute),
  },
  {
    name: "clock of a host 1 h ahead",
    holdMs: [15 * second, 30 * second],
    begin: (stage) => shiftClock(stage, 60 * minute),
  },
];
