import { setImmediate } from "node:timers/promises";
import { LeaseLostError, VaultUnavailableError } from "../../../shared/core/errors.ts";
import { hour, minute, second } from "../../../shared/core/time.ts";
import { requestRotation } from "../../../shared/engine/inbox/request-rotation.ts";
import type { Ports } from "../../../shared/engine/ports.ts";
import { generator } from "../random.ts";
import { type Gate, type Kind, makeWorld, open, type World } from "../world.ts";
import { endViolations, engine, violations, type Worker } from "./stops.ts";

interface Waiting {
  readonly worker: number;
  readonly go: () => void;
}

/** Milliseconds by which the clocks of the workers' machines are ahead. */
const aheadMs = [0, -10 * minute, hour];

/**
 * Runs several workers on one target. Each of their calls waits until a seeded draw releases it. The clock jumps in between, even past
 * the end of claims, and sometimes a worker dies. Returns the problems that were found.
 */
export async function race(
  kind: Kind,
  seed: number,
  worker: Worker = engine,
): Promise<readonly string[]> {
  const world = await makeWorld(kind, `race ${seed}`);
  await worker(world.ports(open), world);
  const request = { reason: "operator", requestedBy: "test" } as const;
  const { rotationId } = await requestRotation(world.ports(open), world.target, request);
  const broken = await runRace(world, seed, worker);
  broken.push(...(await calmDown(world, worker)));
  if (!kind.mints && world.applied.size !== 1)
    broken.push(`${world.applied.size} secrets for one rotation`);
  return [...broken, ...(await endViolations(world, rotationId))];
}

/** What a person does during a race. */
export type Act = (ports: Ports) => Promise<unknown>;

/** Runs workers, and lets persons act in between. Returns the problems that were found. */
export async function runRace(
  world: World,
  seed: number,
  worker: Worker,
  drawAct?: (random: () => number) => Act,
): Promise<string[]> {
  const random = generator(seed);
  const broken: string[] = [];
  const waiting: Waiting[] = [];
  const dead = new Set<number>();
  let [alive, acting] = [0, 0];

  const gateOf =
    (id: number): Gate =>
    async (effect, call) => {
      await new Promise<void>((go) => {
        if (!dead.has(id)) waiting.push({ worker: id, go });
      });
      const result = await call();
      broken.push(...violations(world).map((what) => `${what} after ${effect}`));
      return result;
    };

  function begin(id: number): void {
    alive++;
    void worker(world.ports(gateOf(id), aheadMs[id % aheadMs.length]), world)
      .catch((error: unknown) => {
        broken.push(`a worker threw ${String(error)}`);
      })
      .finally(() => alive--);
  }

  function letPeopleAct(): void {
    if (!drawAct || random() >= 0.08) return;
    acting++;
    void drawAct(random)(world.ports(gateOf(person)))
      .catch((error: unknown) => {
        if (!isExpected(error)) broken.push(`a person got ${String(error)}`);
      })
      .finally(() => acting--);
  }

  let workers = 0;
  for (; workers < 2; workers++) begin(workers);

  // People come back for as long as the race lasts; without them it is over when everything is done.
  const maxWorkers = drawAct ? 100 : 16;
  const isOver = () => alive === 0 && drawAct === undefined;
  for (let turn = 0; turn < 400 && !isOver(); turn++) {
    await quiet();
    if (random() < 0.1) world.advance(Math.floor(random() * 200) * second);
    if (random() < 0.02) alive -= kill(waiting, dead, Math.floor(random() * workers));
    if (alive < 2 && workers < maxWorkers) begin(workers++);
    letPeopleAct();
    waiting.splice(Math.floor(random() * waiting.length), 1)[0]?.go();
  }
  await answerPeople(waiting, () => acting > 0);
  if (acting > 0) broken.push("a person got no answer");
  return broken;
}

/** An answer after which a person tries again. */
const isExpected = (error: unknown): boolean =>
  error instanceof LeaseLostError || error instanceof VaultUnavailableError;

/** The number of every person, whom no death of a worker concerns. */
const person = -1;

/** Lets people have their answers. The workers that are left never continue. */
async function answerPeople(waiting: Waiting[], isActing: () => boolean): Promise<void> {
  for (let turn = 0; isActing() && turn < 2_000; turn++) {
    const index = waiting.findIndex(({ worker }) => worker === person);
    if (index >= 0) waiting.splice(index, 1)[0]?.go();
    await quiet();
  }
}

/** The calls of a dead worker never return. */
function kill(waiting: Waiting[], dead: Set<number>, worker: number): number {
  const calls = waiting.filter((one) => one.worker === worker);
  if (calls.length === 0) return 0;
  dead.add(worker);
  for (const call of calls) waiting.splice(waiting.indexOf(call), 1);
  return 1;
}

/** Waits until nothing can continue without another released call. */
async function quiet(): Promise<void> {
  await setImmediate();
}

export async function calmDown(world: World, worker: Worker): Promise<string[]> {
  // Longer than the longest wait of the policy between two attempts.
  for (let lives = 0; lives < 50; lives++) {
    world.advance(11 * minute);
    await worker(world.ports(open), world);
    const record = (await world.journal.read("app"))?.record;
    const left = [record?.rotation, record?.request, record?.given];
    if (left.every((one) => one === undefined) && record?.outbox.length === 0) return [];
  }
  return ["it never settled"];
}
