import { between, shuffled } from "../world/draw.ts";
import { readPublished } from "../world/stored.ts";
import { isPair, type SoakTarget } from "../world/targets.ts";
import type { Begun, Fault, Stage } from "./fault.ts";

const second = 1_000;

/** Milliseconds within which a requested rotation changes the password. */
const changeMs = [0, 600] as const;

/** Milliseconds; longer than the grace of a pair. */
const maxRetirementMs = 40 * second;
const maxRotationMs = 15 * second;

const concerned = ({ targets, draw }: Stage) => shuffled(draw, "asked", targets).slice(0, 3);

async function killServer(stage: Stage): Promise<Begun> {
  const { world, draw, ask } = stage;
  const concerns = concerned(stage);
  await ask(...concerns);
  await world.pause(between(draw, "moment", changeMs));
  await world.database.kill();
  return { concerns, end: () => world.database.start() };
}

async function refuseConnections(stage: Stage): Promise<Begun> {
  const { world, draw, ask } = stage;
  const concerns = concerned(stage);
  await ask(...concerns);
  await world.pause(between(draw, "moment", changeMs));
  await world.databaseLine.refuse();
  return { concerns, end: () => world.databaseLine.restore() };
}

async function cutConnections(stage: Stage): Promise<Begun> {
  const { world, draw, ask } = stage;
  const concerns = concerned(stage);
  await ask(...concerns);
  for (let cut = 1; cut <= 5; cut++) {
    await world.pause(between(draw, `moment ${cut}`, changeMs));
    world.databaseLine.cut();
  }
  return { concerns, end: () => Promise.resolve() };
}

/** The change may be carried out or not. The host gets no answer, and its connection stays open. */
async function silenceAfter(stage: Stage, statement: string): Promise<Begun> {
  const { world, ask } = stage;
  const concerns = concerned(stage).slice(0, 1);
  world.databaseLine.silenceAfter(statement);
  await ask(...concerns);
  return { concerns, end: () => world.databaseLine.restore() };
}

/**
 * Prepares the worst case: only the published account of a pair still logs in. The fault then loses the password that the next
 * rotation gives to the other account.
 */
async function awaitRetirements({ world, targets, draw }: Stage): Promise<void> {
  if (draw("scene") < 0.3) return;
  const end = performance.now() + maxRetirementMs;
  while (performance.now() < end) {
    const views = await world.api.views();
    const pairs = targets.filter(isPair).map(({ id }) => views?.get(id));
    const isWaiting = pairs.some((view) => view?.policy !== "proven" && view?.retirement);
    if (!isWaiting) return;
    await world.pause(500);
  }
}

/** Waits until the targets have published a new version, up to a limit. */
async function rotate({ world, ask }: Stage, targets: readonly SoakTarget[]): Promise<void> {
  const published = ({ id }: SoakTarget) => readPublished(world.vault.secrets, id);
  const before = await Promise.all(targets.map(published));
  await ask(...targets);
  const end = performance.now() + maxRotationMs;
  while (performance.now() < end) {
    const now = await Promise.all(targets.map(published));
    if (now.every((one, at) => one?.version !== before[at]?.version)) return;
    await world.pause(200);
  }
}

/** A server that does not wait for its disk answers COMMIT, dies, and restarts without the committed change. */
async function loseCommits(stage: Stage): Promise<Begun> {
  const { world, targets, excuse } = stage;
  const { database } = world;
  await awaitRetirements(stage);
  excuse(...world.targets);
  await database.sql(
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET wal_writer_delay = '10s'",
    "SELECT pg_reload_conf()",
  );
  await rotate(stage, targets);
  return {
    concerns: targets,
    async end() {
      await database.kill();
      await database.start();
      await database.sql("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()");
    },
  };
}

/** Another server, which lacks the last changes, replaces the first: a restored backup, or a standby that lagged behind. */
async function restoreSnapshot(stage: Stage): Promise<Begun> {
  const { world, targets, excuse } = stage;
  const { database } = world;
  await awaitRetirements(stage);
  excuse(...world.targets);
  await database.takeSnapshot();
  await rotate(stage, targets);
  return { concerns: targets, end: () => database.restoreSnapshot() };
}

export const databaseFaults: readonly Fault[] = [
  { name: "PostgreSQL killed", holdMs: [0, 500], begin: killServer },
  { name: "PostgreSQL down", holdMs: [8 * second, 25 * second], begin: killServer },
  {
    name: "database refuses connections",
    holdMs: [3 * second, 20 * second],
    begin: refuseConnections,
  },
  { name: "connections to the database cut", holdMs: [0, 500], begin: cutConnections },
  {
    name: "database silent after ALTER ROLE",
    holdMs: [3 * second, 45 * second],
    begin: (stage) => silenceAfter(stage, "PASSWORD 'SCRAM"),
  },
  {
    name: "database silent after COMMIT",
    holdMs: [3 * second, 45 * second],
    begin: (stage) => silenceAfter(stage, "COMMIT\0"),
  },
  {
    name: "PostgreSQL loses commits it had answered",
    holdMs: [0, 4 * second],
    unaskedMs: 25 * second,
    begin: loseCommits,
  },
  {
    name: "PostgreSQL restored from a snapshot",
    holdMs: [0, 8 * second],
    unaskedMs: 25 * second,
    begin: restoreSnapshot,
  },
];
