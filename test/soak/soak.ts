import type { Fault, Stage } from "./faults/fault.ts";
import { askWhenReady, awaitConsumer, keepAsking } from "./load.ts";
import { settle } from "./settle.ts";
import { findIntact, type Soak, type SoakOptions } from "./state.ts";
import { findLosses, findProblems, prove, takeBackCured } from "./verdicts.ts";
import { cacheMs, consume, type ConsumerReader } from "./world/consumer.ts";
import { between, type Draw, drawsWithin, makeDraws, shuffled } from "./world/draw.ts";
import { isPair, type SoakTarget } from "./world/targets.ts";
import { startSoakWorld } from "./world/world.ts";

/** Runs rounds of faults until the time is over, then proves every target. Ends everything that it started. */
export async function runSoak(options: SoakOptions): Promise<void> {
  const { signal, logFile, seed, report, ...rest } = options;
  const world = await startSoakWorld({ signal, logFile });
  const draw = makeDraws(seed);
  const adoption = { fault: "adoption", row: report.row("adoption") };
  adoption.row.rounds = 1;
  const consumers = new Map<string, ReturnType<typeof consume>>();
  const broken = new Set<SoakTarget>();
  const load = keepAsking(world, consumers, { draw, isIntact: (target) => !broken.has(target) });
  const soak: Soak = {
    ...rest,
    ...{ world, consumers, load, report, draw, broken, current: adoption },
    excused: new Set(),
    slow: new Map(),
    untold: [],
  };
  const reader = makeReader(soak);
  const places = { secrets: world.vault.secrets, database: world.database };
  try {
    for (const target of world.targets) consumers.set(target.id, consume(target, places, reader));
    await adopt(soak);
    await playRounds(soak);
    load.isPaused = true;
    await prove(soak);
  } finally {
    report.totals.rotations = world.news.rotations();
    await load.end();
    await Promise.all([...consumers.values()].map((consumer) => consumer.end()));
    await world.close();
  }
}

/** Records refused log-ins of consumers in the row of the current round. */
function makeReader(soak: Soak): ConsumerReader {
  const { totals, notes } = soak.report;
  return {
    loggedIn() {
      totals.logIns += 1;
    },
    refused(target, version) {
      if (soak.excused.has(target)) soak.current.row.keptOut += 1;
      else if (isPair(target)) {
        soak.current.row.refused += 1;
        notes.push(`${soak.current.fault}: ${target.id} was refused with version ${version}`);
      }
    },
    gapEnded(target, lengthMs) {
      if (isPair(target) || soak.excused.has(target)) return;
      const { row } = soak.current;
      row.maxGapMs = Math.max(row.maxGapMs, lengthMs);
    },
  };
}

/** The phase before the first fault. */
async function adopt({ world, consumers, load }: Soak): Promise<void> {
  load.isPaused = true;
  const about = { targets: world.targets, concerns: [], excused: new Set<SoakTarget>() };
  const [problem] = await settle(world, consumers, about);
  if (problem) throw new Error(`${problem.target.id} was not adopted: ${problem.what}.`);
  load.isPaused = false;
}

/** Runs every fault once in an order from the seed, then again in another order, until the time is over. */
async function playRounds(soak: Soak): Promise<void> {
  const { faults, minutes, rounds = Infinity, draw, say } = soak;
  const end = performance.now() + minutes * 60_000;
  for (let turn = 1, round = 0; ; turn++) {
    for (const fault of shuffled(draw, `turn ${turn}`, faults)) {
      const left = end - performance.now();
      if (left <= 0 || round >= rounds || !isWorthGoingOn(soak)) return;
      round += 1;
      // A long fault at the very end would prolong the soak by minutes.
      if (fault.holdMs[1] > left && fault.holdMs[1] > 60_000) continue;
      say(`round ${round}: ${fault.name}`);
      await playRound(soak, fault, drawsWithin(draw, `round ${round}`));
    }
  }
}

/** Faults need a pair and a single account that earlier ones left intact. */
function isWorthGoingOn(soak: Soak): boolean {
  const intact = findIntact(soak);
  return intact.some(isPair) && !intact.every(isPair);
}

async function playRound(soak: Soak, fault: Fault, draw: Draw): Promise<void> {
  const { world, consumers, load, report, excused, say } = soak;
  await takeBackCured(soak);
  const row = report.row(fault.name);
  soak.current = { fault: fault.name, row };
  row.rounds += 1;
  const since = Date.now();
  const stage: Stage = {
    ...{ world, draw, targets: findIntact(soak) },
    async ask(...targets) {
      await Promise.all(targets.map((target) => askWhenReady(world, consumers, target)));
    },
    async awaitConsumers(...targets) {
      await Promise.all(targets.map((target) => awaitConsumer(world, consumers, target)));
    },
    excuse(...targets) {
      for (const target of targets) excused.add(target);
    },
  };
  const begun = await fault.begin(stage);
  if (begun.concerns.length > 0) {
    say(`  ${begun.concerns.map(({ id }) => id).join(", ")}`);
  }
  try {
    await world.pause(findHold(soak, fault, draw));
  } finally {
    load.isPaused = true;
    await begun.end();
  }
  const lost = new Set<SoakTarget>();
  await findLosses(soak, lost);
  if (fault.unaskedMs !== undefined) {
    await world.pause(fault.unaskedMs);
    await findLosses(soak, lost);
  }
  await findProblems(soak, begun.concerns, since);
  if (excused.size > 0) await world.pause(cacheMs + 2_000);
  excused.clear();
  row.alarms += world.news.alarms(since);
  load.isPaused = false;
}

/** Milliseconds; long enough for a rotation to be affected by the fault. */
const quickHoldMs = 3_000;

function findHold({ isQuick }: Soak, { holdMs }: Fault, draw: Draw): number {
  return isQuick === true ? Math.min(holdMs[0], quickHoldMs) : between(draw, "hold", holdMs);
}
