import { cacheMs, consume, type ConsumerReader } from "./consumer.ts";
import { between, drawsOf, drawsWithin, shuffled, type Draw } from "./draw.ts";
import type { Begun, Fault, Stage } from "./faults/fault.ts";
import { askWhenReady, keepAsking, type Consumers, type Load } from "./load.ts";
import { proveAll } from "./proof.ts";
import type { Report, Row } from "./report.ts";
import { findLost, isAtRest, settle } from "./settle.ts";
import { isServed } from "./stored.ts";
import { isPair, type SoakTarget } from "./targets.ts";
import { startSoakWorld, type World } from "./world.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Each fault lasts no longer than it has to. */
  readonly isQuick?: boolean | undefined;
  /** Ends after so many rounds, if the minutes are not over before. Default: no limit. */
  readonly rounds?: number | undefined;
  readonly signal: AbortSignal;
  /** Is filled in as the soak goes on. */
  readonly report: Report;
  readonly logFile?: string | undefined;
  /** Is told each line as it happens. */
  readonly say: (line: string) => void;
}

interface Soak extends Omit<SoakOptions, "signal" | "logFile" | "seed"> {
  readonly world: World;
  readonly consumers: Consumers;
  readonly load: Load;
  readonly report: Report;
  readonly draw: Draw;
  /** The round that is under way. */
  current: { fault: string; row: Row };
  /** Targets whose consumers the fault itself keeps out. */
  readonly excused: Set<SoakTarget>;
  /** Targets that a fault of an earlier round left broken. They are reported once. */
  readonly broken: Set<SoakTarget>;
  /** Problems that nobody was told about yet, with the moment of the fault. An alarm may still come. */
  readonly untold: { readonly target: SoakTarget; readonly row: Row; readonly since: number }[];
}

/** Runs rounds of faults until the minutes are over, then proves every target. Ends everything that it started. */
export async function runSoak(options: SoakOptions): Promise<void> {
  const { signal, logFile, seed, report, ...rest } = options;
  const world = await startSoakWorld({ signal, logFile });
  const draw = drawsOf(seed);
  const adoption = { fault: "adoption", row: report.row("adoption") };
  adoption.row.rounds = 1;
  const consumers = new Map<string, ReturnType<typeof consume>>();
  const load = keepAsking(world, consumers, draw);
  const soak: Soak = {
    ...rest,
    ...{ world, consumers, load, report, draw, current: adoption },
    excused: new Set(),
    broken: new Set(),
    untold: [],
  };
  const reader = readerOf(soak);
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

/** Writes what happens to consumers into the row of the round that is under way. */
function readerOf(soak: Soak): ConsumerReader {
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
      row.longestGapMs = Math.max(row.longestGapMs, lengthMs);
    },
  };
}

/** Nothing goes wrong yet. */
async function adopt({ world, consumers, load }: Soak): Promise<void> {
  load.isPaused = true;
  const about = { targets: world.targets, concerns: [], excused: new Set<SoakTarget>() };
  const [problem] = await settle(world, consumers, about);
  if (problem) throw new Error(`${problem.target.id} was not adopted: ${problem.what}.`);
  load.isPaused = false;
}

/** Every fault once in an order of the seed, then again in another order, until the time is over. */
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
  const intact = intactOf(soak);
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
    ...{ world, draw, targets: intactOf(soak) },
    async ask(...targets) {
      await Promise.all(targets.map((target) => askWhenReady(world, consumers, target)));
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
    await world.pause(holdOf(soak, fault, draw));
  } finally {
    load.isPaused = true;
    await begun.end();
  }
  const lost = new Set<SoakTarget>();
  await lookAtLosses(soak, lost);
  if (fault.unaskedMs !== undefined) {
    await world.pause(fault.unaskedMs);
    await lookAtLosses(soak, lost);
  }
  await lookAtProblems(soak, begun, since);
  if (excused.size > 0) await world.pause(cacheMs + 2_000);
  excused.clear();
  row.alarms += world.news.alarms(since);
  load.isPaused = false;
}

const intactOf = ({ world, broken }: Soak): readonly SoakTarget[] =>
  world.targets.filter((target) => !broken.has(target));

/** Long enough for a rotation to meet the fault, in milliseconds. */
const quickHoldMs = 3_000;

function holdOf({ isQuick }: Soak, { holdMs }: Fault, draw: Draw): number {
  return isQuick === true ? Math.min(holdMs[0], quickHoldMs) : between(draw, "hold", holdMs);
}

/** A target that waited for a claim, or for a clock, may be well again by now. */
async function takeBackCured({ world, broken }: Soak): Promise<void> {
  if (broken.size === 0) return;
  const views = await world.api.views();
  for (const target of broken) {
    const view = views?.get(target.id);
    if (view === undefined || !isAtRest(view)) continue;
    if (await isServed(world.vault.secrets, world.database, target.id)) broken.delete(target);
  }
}

async function lookAtLosses(soak: Soak, known: Set<SoakTarget>): Promise<void> {
  const { world, report, current, say } = soak;
  const intact = intactOf(soak).filter((target) => !known.has(target));
  for (const target of await findLost(world, intact)) {
    current.row.lost += 1;
    known.add(target);
    const note = `${current.fault}: no stored password of ${target.id} works any more`;
    report.notes.push(note);
    say(`  LOST  ${note}`);
  }
}

async function lookAtProblems(soak: Soak, { concerns }: Begun, since: number): Promise<void> {
  const { world, consumers, report, current, excused, broken, untold, say } = soak;
  const about = { targets: intactOf(soak), concerns, excused };
  for (const { target, what, isCured } of await settle(world, consumers, about)) {
    if (!isCured) broken.add(target);
    current.row.needsPerson += 1;
    const note = `${current.fault}: ${target.id} needs a person: ${what}`;
    report.notes.push(note);
    say(`  ${note}`);
    if (world.news.alarms(since, target.id) === 0) untold.push({ target, row: current.row, since });
  }
}

async function prove({ world, consumers, report, untold, say }: Soak): Promise<void> {
  say("the full proof of every target");
  const row = report.row("full proof at the end");
  row.rounds += 1;
  for (const { target, what } of await proveAll(world, consumers)) {
    row.needsPerson += 1;
    row.withoutAlarm += 1;
    report.notes.push(`full proof: ${target.id}: ${what}`);
  }
  for (const { target, row: guilty, since } of untold) {
    if (world.news.alarms(since, target.id) > 0) continue;
    guilty.withoutAlarm += 1;
    report.notes.push(`nobody was told that ${target.id} needs a person`);
  }
}
