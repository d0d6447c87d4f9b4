import { expect, test } from "vitest";
import { minute, second } from "../../../shared/core/time.ts";
import type { Operations } from "../../../shared/engine/operations.ts";
import { JournalUnavailableError } from "../../../shared/stores/journal.ts";
import { readLedger } from "../ledger/read-ledger.ts";
import { type How, hows, lostReply } from "../proofs/stops.ts";
import { generator } from "../random.ts";
import type { Gate } from "../world.ts";
import {
  type BreachWorld,
  makeBreachWorld,
  type Member,
  plainly,
  preview,
  readReport,
} from "./breach-world.ts";

const fleet: readonly Member[] = [
  { id: "single" },
  { id: "pair", kind: "pair" },
  { id: "refused" },
  { id: "other", host: "db-2" },
];

/** Stops the process at the effect with this number, or gives it an error although the effect happened. */
function stopAt(at: number, how: How) {
  let effects = 0;
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  const { promise: died, resolve } = Promise.withResolvers<undefined>();
  const die = () => {
    isDead = true;
    resolve(undefined);
    return never;
  };
  const gate: Gate = async (effect, call) => {
    if (isDead) return never;
    effects++;
    if (effects !== at) return call();
    if (how === "dies before") return die();
    await call();
    if (how === "dies after") return die();
    throw lostReply(effect);
  };
  return { gate, died, effects: () => effects, hasStopped: () => effects >= at };
}

/** Everything that must hold after any crash: the report is true, and nothing was done twice. */
async function expectTrueReport(world: BreachWorld, id: string): Promise<void> {
  const keyturn = world.instance();
  expect(await keyturn.breach(id)).toMatchObject({
    state: "ended",
    counts: { waiting: 0, begun: 0, rotated: 3, failed: 1, blocked: 0, unfinished: 0, left: 0 },
  });
  const report = await readReport(world, id);
  for (const target of world.targets) {
    const item = report.get(target.id);
    const accounts = target.slots.map(({ account }) => account);
    const isRotated = item?.state === "rotated";
    expect(isRotated).toBe(target.id !== "refused");
    expect(accounts.some(world.hasOldPassword)).toBe(!isRotated);
    expect(world.publishedWorks(target)).toBe(true);
    const { items } = (await keyturn.rotations(target.id, { limit: 10 })) ?? { items: [] };
    const asked = items.filter((run) => run.state !== "unreadable" && run.requestedBy === "ada");
    expect(asked.map(({ rotationId }) => rotationId)).toContain(item?.rotationId);
    // A failed rotation is tried again by Keyturn itself, for the same person.
    if (isRotated) expect(asked).toHaveLength(1);
  }
  const ledger = await readLedger(world.journal);
  for (const action of ["breach.preview", "breach.start", "breach.end"]) {
    expect(ledger.filter((entry) => entry.action === action)).toHaveLength(1);
  }
  const ended = world.notifier.sent.filter(({ type }) => type === "breach.ended");
  expect(new Set(ended.map(({ id: name }) => name)).size).toBe(1);
  expect(world.events.filter(({ type }) => type === "bug")).toEqual([]);
}

/** Runs a breach of which one process stops at the given effect. Returns whether the effect was reached. */
async function runWithStop(at: number, how: How): Promise<boolean> {
  const world = await makeBreachWorld(fleet);
  world.refused.add("refused");
  const id = await preview(world);
  const stop = stopAt(at, how);
  const dying = world.instance(stop.gate);
  const work = async (keyturn: Operations) => {
    await keyturn.confirmBreach(id, plainly);
    await world.pass(20 * second, keyturn);
  };
  await Promise.race([work(dying).catch(onlyOutage), stop.died]);
  world.stop();
  if (!stop.hasStopped()) return false;
  // A person repeats a confirmation that got no answer.
  await world.instance().confirmBreach(id, plainly);
  // Time for another try of a rotation that failed.
  await world.pass(14 * minute);
  await expectTrueReport(world, id);
  return true;
}

function onlyOutage(error: unknown): void {
  if (!(error instanceof JournalUnavailableError)) throw error;
}

test.each(hows)(
  "A breach ends with a true report when a process %s any one effect",
  async (how) => {
    let at = 1;
    while (await runWithStop(at, how)) at++;
    expect(at).toBeGreaterThan(40);
  },
);

/** Calls that wait until the draw releases one of them. */
function makeRace(seed: number) {
  const random = generator(seed);
  const waiting: (() => void)[] = [];
  const gate: Gate = async (_effect, call) => {
    await new Promise<void>((go) => waiting.push(go));
    return call();
  };
  return {
    gate,
    release() {
      waiting.splice(Math.floor(random() * waiting.length), 1)[0]?.();
    },
    random,
  };
}

test("Workers that take turns at the same time end with a true report", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = await makeBreachWorld(fleet);
    world.refused.add("refused");
    const id = await preview(world);
    await world.instance().confirmBreach(id, plainly);
    while (world.receive());
    const race = makeRace(seed);
    let alive = 0;
    const begin = () => {
      alive++;
      const turn = world.instance(race.gate).work({ breachId: id, because: "race" });
      void turn.finally(() => alive--);
    };
    for (let turn = 0; turn < 300 && (alive > 0 || turn < 20); turn++) {
      if (alive < 3 && turn < 100) begin();
      await new Promise((go) => setImmediate(go));
      if (race.random() < 0.05) world.advance(3 * second);
      race.release();
    }
    await world.pass(5 * minute);
    await expectTrueReport(world, id);
  }
});

test("A pause or a cancellation in the middle of a turn lets no other rotation begin, and the report is true", async () => {
  for (let at = 1; at <= 40; at++) {
    const world = await makeBreachWorld(fleet);
    const id = await preview(world);
    await world.instance().confirmBreach(id, plainly);
    let effects = 0;
    const gate: Gate = async (_effect, call) => {
      if (++effects === at) await world.instance().cancelBreach(id, { by: "ben" });
      return call();
    };
    await world.pass(20 * second, world.instance(gate));
    await world.pass(minute);
    const report = await readReport(world, id);
    for (const target of world.targets) {
      const accounts = target.slots.map(({ account }) => account);
      const state = accounts.some(world.hasOldPassword) ? "left" : "rotated";
      expect(report.get(target.id)?.state).toBe(state);
    }
  }
});
