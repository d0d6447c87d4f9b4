import { describe, expect, test } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { mostProbes } from "../../shared/core/fleet/servers.ts";
import { between, minute, plus, second } from "../../shared/core/time.ts";
import {
  type Entered,
  type PassedOver,
  servers,
  type ServersOf,
} from "../../shared/engine/fleet/servers.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { memoryPace } from "../../shared/stores/memory/memory-pace.ts";
import { paceIn } from "../../shared/stores/shared-pace.ts";
import { adopted, readRecord, request } from "./steps.ts";
import { type Gate, open, singleAdmin, type World } from "./world.ts";

/** What an instance remembers, with a clock that pauses move. */
function remembering(canConnect?: ServersOf["canConnect"]) {
  let time = Date.parse("2026-01-01T00:00:00.000Z");
  const now = () => new Date(time).toISOString();
  const memory = servers({
    now,
    draw: () => 0.5,
    pause: (milliseconds) => {
      time += milliseconds;
      return Promise.resolve();
    },
    ...(canConnect && { canConnect }),
  });
  return {
    enter: (server: string, isUrgent: boolean) => memory.enter(server, isUrgent),
    now,
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    /** A call that took so long. */
    called: (server: string, tookMs: number, isUnavailable: boolean) => {
      const began = now();
      time += tookMs;
      memory.note(server, began, isUnavailable);
    },
  };
}

const passed = (turn: Entered | PassedOver): PassedOver => {
  if ("until" in turn) return turn;
  throw new Error("it may enter");
};
const entered = (turn: Entered | PassedOver): Entered => {
  if ("leave" in turn) return turn;
  throw new Error(turn.why);
};

describe("what an instance remembers of servers", () => {
  test("a server has two workers at a time, and a third one waits for a moment at most", async () => {
    const { enter, called, now } = remembering();
    called("db", 10, false);
    const first = entered(await enter("db", false));
    entered(await enter("db", false));
    const before = now();
    const third = passed(await enter("db", false));
    expect(third.why).toBe("server db is busy with other targets");
    expect(between(before, now())).toBe(2 * second);
    first.leave();
    entered(await enter("db", false));
  });

  test("whoever waits goes on as soon as somebody leaves", async () => {
    const memory = servers({
      now: () => "2026-01-01T00:00:00.000Z",
      draw: () => 0,
      pause: () => new Promise(() => undefined),
    });
    memory.note("db", "2026-01-01T00:00:00.000Z", false);
    const [first] = [entered(await memory.enter("db", false)), await memory.enter("db", false)];
    const third = memory.enter("db", false);
    first.leave();
    entered(await third);
  });

  test("a third of the places at most is for servers of which nobody knows whether they answer", async () => {
    const { enter, called } = remembering();
    called("known", 10, false);
    for (let probes = 0; probes < mostProbes; probes++)
      entered(await enter(`new-${probes}`, false));
    expect(passed(await enter("one-more", false)).why).toMatch(/was not asked yet/);
    entered(await enter("known", false));
  });

  test("a place among the probes is free as soon as the server has answered, whatever is done there then", async () => {
    const { enter, called } = remembering();
    for (let index = 0; index < 10; index++) {
      entered(await enter(`new-${index}`, false));
      called(`new-${index}`, 50, false);
    }
  });

  test("nobody waits for one that has been asked for a while and has not answered", async () => {
    const { enter, advance, now } = remembering();
    entered(await enter("silent", false));
    entered(await enter("silent-too", false));
    advance(400);
    const before = now();
    passed(await enter("silent", false));
    passed(await enter("new", false));
    expect(now()).toBe(before);
  });

  test("a silent server is asked again after pauses that grow, by one worker at a time", async () => {
    const { enter, called, now, advance } = remembering();
    const pauses: number[] = [];
    for (let silences = 0; silences < 9; silences++) {
      called("db", 5 * second, true);
      const turn = passed(await enter("db", false));
      expect(turn.why).toBe("server db does not answer; it is asked again later");
      pauses.push(between(now(), turn.until));
      advance(between(now(), turn.until));
      const probe = entered(await enter("db", false));
      passed(await enter("db", false));
      probe.leave();
    }
    const jitter = 1.5 * second;
    expect(pauses.slice(0, 3).map((pause) => pause - jitter)).toEqual([5_000, 10_000, 20_000]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5 * minute + jitter);
    called("db", 10, false);
    entered(await enter("db", false));
    entered(await enter("db", false));
  });

  test("one that refuses at once holds nobody up, and is no silent one", async () => {
    const { enter, called } = remembering();
    called("db", 100, true);
    entered(await enter("db", false));
    entered(await enter("db", false));
  });

  test("a new server that takes no connection keeps nobody waiting, and none of the few places", async () => {
    const silence = Promise.withResolvers<boolean>();
    const tries: string[] = [];
    const { enter, now } = remembering((server) => {
      tries.push(server);
      return server.startsWith("dead") ? silence.promise : Promise.resolve(true);
    });
    for (let index = 0; index < 20; index++) {
      const before = now();
      const turn = passed(await enter(`dead-${index}`, index % 2 === 0));
      expect(turn.why).toBe(`server dead-${index} has not answered yet`);
      expect(between(before, now())).toBe(300);
    }
    for (let index = 0; index < mostProbes; index++) entered(await enter(`alive-${index}`, false));
    passed(await enter("dead-0", false));
    silence.resolve(false);
    await silence.promise;
    expect(passed(await enter("dead-0", false)).why).toMatch(/does not answer/);
    expect(tries.filter((server) => server === "dead-0")).toHaveLength(1);
  });

  test("a server that was silent leaves a place for those that nobody has asked yet", async () => {
    const { enter, called } = remembering();
    called("silent", 5 * second, true);
    called("silent-too", 5 * second, true);
    entered(await enter("silent", true));
    passed(await enter("silent-too", true));
    entered(await enter("new", false));
  });

  test("a person does not wait for the end of a pause, unless somebody is just asking", async () => {
    const { enter, called } = remembering();
    called("db", 5 * second, true);
    const probe = entered(await enter("db", true));
    passed(await enter("db", true));
    probe.leave();
    passed(await enter("db", false));
  });
});

/** Ports of an instance that knows this server as silent. */
function besideSilent(world: World, gate: Gate = open): Ports {
  const memory = servers({ now: () => world.now(), draw: () => 0, pause: () => Promise.resolve() });
  memory.note("memory:0", plus(world.now(), -20 * second), true);
  return { ...world.ports(gate), notifiers: [], servers: memory };
}

describe("a target whose server is silent", () => {
  test("is passed over with one write, which says until when and why", async () => {
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
    const why = "server memory:0 does not answer; it is asked again later";
    expect((await readRecord(world)).skipped).toEqual({ at: world.now(), until: wake, why });
    world.advanceTo(wake);
    await workOn(ports, world.target);
    expect((await readRecord(world)).skipped).toBeUndefined();
    expect(world.applied.size).toBe(1);
  });

  test("is asked at once when a person wants its rotation", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "operator" });
    await workOn(besideSilent(world), world.target);
    expect(world.applied.size).toBe(1);
  });

  test("is not asked by a request that joins its open rotation while somebody is asking it already", async () => {
    const world = await adopted(singleAdmin);
    await request(world);
    const down: Gate = (effect, call) =>
      effect.startsWith("target.") ? Promise.reject(new TargetUnavailableError("down")) : call();
    await workOn(world.ports(down), world.target);
    const memory = servers({
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

  test("is not kept from others by a worker that waits for its vault", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "schedule" });
    const pace = paceIn(
      memoryPace(),
      () => 280,
      () => new Date(world.now()),
    );
    await pace.slowDown("main", 5 * second);
    const memory = servers({
      now: () => world.now(),
      draw: () => 0,
      pause: () => Promise.resolve(),
    });
    memory.note("memory:0", world.now(), false);
    const turns: (Entered | PassedOver)[] = [];
    const pause: Ports["pause"] = async (milliseconds) => {
      turns.push(await memory.enter("memory:0", false), await memory.enter("memory:0", false));
      for (const turn of turns) entered(turn).leave();
      world.advance(milliseconds);
    };
    await workOn({ ...world.ports(open), servers: memory, pace, pause }, world.target);
    expect(turns).toHaveLength(2);
    expect(world.applied.size).toBe(1);
  });

  test("is looked at again because of a hint that came meanwhile", async () => {
    const world = await adopted(singleAdmin);
    await workOn(besideSilent(world), world.target, { checkDrift: true });
    expect(await readRecord(world)).toMatchObject({ check: { at: world.now() }, skipped: {} });
  });

  test("is what the next ones learn from the one that was asked", async () => {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "schedule" });
    const memory = servers({
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
