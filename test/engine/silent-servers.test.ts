import { describe, expect, test } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { between, minute, plus, second } from "../../shared/core/time.ts";
import { type Entered, makeServers, type SkippedTurn } from "../../shared/engine/fleet/servers.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { makeMemoryPace } from "../../shared/stores/memory/memory-pace.ts";
import { makeSharedPace } from "../../shared/stores/shared-pace.ts";
import { adopted, readRecord, request } from "./steps.ts";
import { type Gate, open, singleAdmin, type World } from "./world.ts";

const passed = (turn: Entered | SkippedTurn): SkippedTurn => {
  if ("until" in turn) return turn;
  throw new Error("it may enter");
};
const entered = (turn: Entered | SkippedTurn): Entered => {
  if ("leave" in turn) return turn;
  throw new Error(turn.why);
};

/** Ports of an instance that remembers this server as silent. */
function besideSilent(world: World, gate: Gate = open): Ports {
  const memory = makeServers({
    now: () => world.now(),
    draw: () => 0,
    pause: () => Promise.resolve(),
  });
  memory.note("memory:0", plus(world.now(), -20 * second), true);
  return { ...world.ports(gate), notifiers: [], servers: memory };
}

describe("A target whose server is silent", () => {
  test("A target whose server is silent is postponed with one write, which records until when and why", async () => {
    const world = await adopted(singleAdmin);
    world.advance(100 * 24 * 60 * minute);
    const done: string[] = [];
    const ports = besideSilent(world, (effect, call) => {
      if (effect !== "journal.read") done.push(effect);
      return call();
    });
    const wake = (await workOn(ports, world.target)) ?? "";
    expect(done).toEqual(["journal.commit"]);
    expect(between(world.now(), wake)).toBe(6 * second);
    const why = "server memory:0 does not answer; Keyturn contacts this server again later";
    expect((await readRecord(world)).skipped).toEqual({ at: world.now(), until: wake, why });
    world.advanceTo(wake);
    await workOn(ports, world.target);
    expect((await readRecord(world)).skipped).toBeUndefined();
    expect(world.applied.size).toBe(1);
  });

  test("A target whose server is silent is worked on at once when a person requests its rotation", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "operator" });
    await workOn(besideSilent(world), world.target);
    expect(world.applied.size).toBe(1);
  });

  test("A request that joins an open rotation does not contact the server while another worker contacts it", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const down: Gate = (effect, call) =>
      effect.startsWith("target.") ? Promise.reject(new TargetUnavailableError("down")) : call();
    await workOn(world.ports(down), world.target);
    const memory = makeServers({
      now: () => world.now(),
      draw: () => 0,
      pause: () => Promise.resolve(),
    });
    memory.note("memory:0", plus(world.now(), -20 * second), true);
    entered(await memory.enter("memory:0", true));
    world.advance(second);
    await request(world, { reason: "exposure", requestedBy: "ben" });
    const asked: string[] = [];
    const seeing: Gate = (effect, call) => {
      if (effect.startsWith("target.")) asked.push(effect);
      return call();
    };
    await workOn({ ...world.ports(seeing), servers: memory }, world.target);
    expect(asked).toEqual([]);
  });

  test("A worker that waits for its vault occupies no slot at the server", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "schedule" });
    const pace = makeSharedPace(
      makeMemoryPace(),
      () => 280,
      () => new Date(world.now()),
    );
    await pace.slowDown("main", 5 * second);
    const memory = makeServers({
      now: () => world.now(),
      draw: () => 0,
      pause: () => Promise.resolve(),
    });
    memory.note("memory:0", world.now(), false);
    const turns: (Entered | SkippedTurn)[] = [];
    const pause: Ports["pause"] = async (milliseconds) => {
      turns.push(await memory.enter("memory:0", false), await memory.enter("memory:0", false));
      for (const turn of turns) entered(turn).leave();
      world.advance(milliseconds);
    };
    await workOn({ ...world.ports(open), servers: memory, pace, pause }, world.target);
    expect(turns).toHaveLength(2);
    expect(world.applied.size).toBe(1);
  });

  test("A postponed target keeps a hint that the published secret changed, and is checked later", async () => {
    const world = await adopted(singleAdmin);
    await workOn(besideSilent(world), world.target, { checkDrift: true });
    expect(await readRecord(world)).toMatchObject({ check: { at: world.now() }, skipped: {} });
  });

  test("A silent server that one target finds makes the next targets of the server wait", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "schedule" });
    const memory = makeServers({
      now: () => world.now(),
      draw: () => 0,
      pause: () => Promise.resolve(),
    });
    const silent: Gate = (effect, call) => {
      if (effect !== "target.verify") return call();
      world.advance(20 * second);
      return Promise.reject(new TargetUnavailableError("no answer in time"));
    };
    await workOn({ ...world.ports(silent), servers: memory }, world.target);
    expect(passed(await memory.enter("memory:0", false)).why).toMatch(/does not answer/);
  });
});
