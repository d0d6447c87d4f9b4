import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { claimLength } from "../../shared/core/lifecycle/decide.ts";
import type { RunView, TargetView } from "../../shared/core/views.ts";
import { patient } from "./world/api.ts";
import { startedLater } from "./world/clock.ts";
import { standings } from "./world/journal-rows.ts";
import { canLogIn, consume, keepAsking } from "./world/kill-checks.ts";
import { makeConfig, own, pair, published, seed, seedPair, single } from "./world/targets.ts";
import { everySecond, startWorld, type World } from "./world/world.ts";

const kills = 20;
/** The process is killed at most this many milliseconds after a rotation has started. A rotation takes less. */
const window = 700;

const pairs = ["steady", "brief"];
const singles = ["managed", "changed", "alone", "own"];
const targets = [...pairs, ...singles];

let world: World;
beforeAll(async () => {
  world = await startWorld({
    sweep: everySecond,
    config: (places) =>
      makeConfig(
        places,
        {
          // Rotated on request only; its superseded passwords stay valid.
          steady: pair(places, "steady", { policy: "hourly", grace: "30m" }),
          // The others are also rotated by schedule.
          brief: pair(places, "brief", { grace: "0s" }),
          managed: single(places, "managed"),
          changed: single(places, "changed"),
          alone: own(places, "alone"),
          own: own(places, "own"),
        },
        {
          policies: {
            default: { every: "10s", retry: { attempts: 3, every: "1s", thenEvery: "2s" } },
            hourly: { every: "1h", retry: { attempts: 3, every: "1s", thenEvery: "2s" } },
          },
        },
      ),
  });
  for (const name of pairs) await seedPair(world, name);
  for (const name of singles) await seed(world, name);
});
afterAll(() => world.close());

/**
 * A killed rotation continues when its claim has expired, after two minutes. Each host therefore starts with a clock that is
 * this much further ahead, instead of waiting.
 */
const startLater = (times: number) => world.start(startedLater(times * (claimLength + 1_000)));

test(
  "No credential is lost when the host is killed repeatedly in the middle of rotations",
  { timeout: 900_000 },
  async () => {
    const chosen = Number(process.env["KEYTURN_TEST_SEED"] ?? Date.now() % 1_000_000);
    console.log(`seed ${chosen} (KEYTURN_TEST_SEED repeats it)`);
    const draw = makeDraws(chosen);
    const tally = new Map<string, number>();

    await startLater(0);
    await Promise.all(targets.map((id) => world.api.rotate(id)));
    await Promise.all(targets.map((id) => world.api.until(id, isAtRest)));
    const consumer = consume(world, "steady");
    const asking = targets.map((id) => keepAsking(world, id));

    for (let kill = 1; kill <= kills; kill++) {
      await rotationBegins();
      await pause(draw(kill) * window);
      await world.host().kill();
      for (const { phase, claim } of await standings(world.storage)) {
        if (claim.owner !== undefined) count(tally, phase ?? "between rotations");
      }
      await expectNothingLost(`kill ${kill}`);
      await startLater(kill);
    }
    await lastKill();

    const promised = (await Promise.all(asking.map((one) => one.end()))).flat();
    await startLater(kills);
    await expectAllWell(promised);
    const { logIns, failures } = await consumer.end();
    expect(failures).toEqual([]);
    console.log(
      `${kills + 1} kills; ${promised.length} rotations promised, all done; ${logIns} log-ins, none refused; ` +
        `killed while claimed, by phase: ${JSON.stringify(Object.fromEntries(tally))}`,
    );
    // The kills must hit more than one phase, or the test proves little.
    expect(tally.size).toBeGreaterThan(2);
  },
);

/** A rotation that the current process has started, and not an earlier one. */
async function rotationBegins(): Promise<void> {
  const { length } = world.output.written;
  await vi.waitFor(() => {
    expect(world.output.written.slice(length)).toContain(String.raw`\"type\":\"started\"`);
  }, patient);
}

/** This test does not move the clock: the next host really waits until claims expire. */
async function lastKill(): Promise<void> {
  for (;;) {
    await rotationBegins();
    await world.host().kill();
    const all = await standings(world.storage);
    if (all.some(({ claim }) => claim.owner !== undefined)) return;
    await startLater(kills);
  }
}

async function expectNothingLost(when: string): Promise<void> {
  for (const name of singles) {
    const works = await canLogIn(world, name);
    expect(works, `after ${when} some stored password of ${name} logs in`).toBe(true);
  }
  for (const name of pairs) {
    const { username, password } = await published(world.secrets, name);
    const works = await world.database.logsIn(username, password);
    expect(works, `after ${when} the published password of ${name} logs in`).toBe(true);
  }
}

async function expectAllWell(promised: readonly string[]): Promise<void> {
  for (const id of targets) {
    const view = await vi.waitFor(
      async () => {
        const found = await world.api.target(id);
        expect(isAtRest(found), JSON.stringify(found)).toBe(true);
        return found;
      },
      { ...patient, timeout: 2 * claimLength },
    );
    expect(view.health).toBe("healthy");
  }
  for (const location of promised) {
    const { text } = await world.api.send("GET", location);
    expect(JSON.parse(text) as RunView).toMatchObject({ state: "done" });
  }
  await world.host().stop();
  for (const name of [...pairs, ...singles]) {
    const { username, password } = await published(world.secrets, name);
    expect(await world.database.logsIn(username, password), username).toBe(true);
  }
}

function isAtRest({ health, rotation, queuedRotation }: TargetView): boolean {
  return health === "healthy" && rotation === undefined && queuedRotation === undefined;
}

/** For each number one between 0 and 1, the same whenever the seed is. */
function makeDraws(chosen: number): (number: number) => number {
  return (number) =>
    createHash("sha256").update(`${chosen}/${number}`).digest().readUInt32BE() / 2 ** 32;
}

function count(tally: Map<string, number>, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}
