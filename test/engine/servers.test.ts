import { describe, expect, test } from "vitest";
import { maxProbes } from "../../shared/core/fleet/server-limits.ts";
import { between, minute, second } from "../../shared/core/time.ts";
import {
  type Entered,
  makeServers,
  type ServersDeps,
  type SkippedTurn,
} from "../../shared/engine/fleet/servers.ts";

/** The memory of an instance, with a clock that pauses advance. */
function remembering(canConnect?: ServersDeps["canConnect"]) {
  let time = Date.parse("2026-01-01T00:00:00.000Z");
  const now = () => new Date(time).toISOString();
  const memory = makeServers({
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
    /** Records a call that took this long. */
    called: (server: string, tookMs: number, isUnavailable: boolean) => {
      const began = now();
      time += tookMs;
      memory.note(server, began, isUnavailable);
    },
  };
}

const passed = (turn: Entered | SkippedTurn): SkippedTurn => {
  if ("until" in turn) return turn;
  throw new Error("it may enter");
};
const entered = (turn: Entered | SkippedTurn): Entered => {
  if ("leave" in turn) return turn;
  throw new Error(turn.why);
};

describe("The memory of an instance about servers", () => {
  test("A server has two workers at a time, and a third one waits for a moment at most", async () => {
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

  test("A waiting worker continues as soon as another one leaves", async () => {
    const memory = makeServers({
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

  test("At most a third of the slots is for servers that may not answer", async () => {
    const { enter, called } = remembering();
    called("known", 10, false);
    for (let probes = 0; probes < maxProbes; probes++) entered(await enter(`new-${probes}`, false));
    expect(passed(await enter("one-more", false)).why).toMatch(
      /contacting other servers that have not answered yet, and then server/,
    );
    entered(await enter("known", false));
  });

  test("A probe slot is free as soon as the server has answered, even if its worker continues", async () => {
    const { enter, called } = remembering();
    for (let index = 0; index < 10; index++) {
      entered(await enter(`new-${index}`, false));
      called(`new-${index}`, 50, false);
    }
  });

  test("No worker waits for a server that has not answered another worker for a while", async () => {
    const { enter, advance, now } = remembering();
    entered(await enter("silent", false));
    entered(await enter("silent-too", false));
    advance(400);
    const before = now();
    passed(await enter("silent", false));
    passed(await enter("new", false));
    expect(now()).toBe(before);
  });

  test("A silent server is contacted again after growing pauses, by one worker at a time", async () => {
    const { enter, called, now, advance } = remembering();
    const pauses: number[] = [];
    for (let silences = 0; silences < 9; silences++) {
      called("db", 5 * second, true);
      const turn = passed(await enter("db", false));
      expect(turn.why).toBe("server db does not answer; Keyturn will try again later");
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

  test("A server that refuses at once delays no worker, and does not count as silent", async () => {
    const { enter, called } = remembering();
    called("db", 100, true);
    entered(await enter("db", false));
    entered(await enter("db", false));
  });

  test("A new server that accepts no connection delays no worker, and occupies no probe slot", async () => {
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
    for (let index = 0; index < maxProbes; index++) entered(await enter(`alive-${index}`, false));
    passed(await enter("dead-0", false));
    silence.resolve(false);
    await silence.promise;
    expect(passed(await enter("dead-0", false)).why).toMatch(/does not answer/);
    expect(tries.filter((server) => server === "dead-0")).toHaveLength(1);
  });

  test("The connection to a server that answered a while ago is tested first, and a recent answer is enough", async () => {
    let isDead = false;
    const tries: string[] = [];
    const { enter, called, advance } = remembering((server) => {
      tries.push(server);
      return Promise.resolve(!isDead);
    });
    called("db", 10, false);
    entered(await enter("db", false)).leave();
    expect(tries).toEqual([]);
    isDead = true;
    advance(30 * second);
    expect(passed(await enter("db", false)).why).toMatch(/does not answer/);
    expect(tries).toEqual(["db"]);
  });

  test("A server that accepts no connection the second time is called, so that its failure is reported", async () => {
    const { enter, advance } = remembering(() => Promise.resolve(false));
    passed(await enter("db", false));
    advance(10 * second);
    entered(await enter("db", false));
  });

  test("A server that was silent and accepts connections again needs no slot for silent servers", async () => {
    const dead = new Set(["dead", "back"]);
    const { enter, called, advance } = remembering((server) => Promise.resolve(!dead.has(server)));
    for (const server of dead) called(server, 5 * second, true);
    advance(30 * second);
    entered(await enter("dead", false));
    passed(await enter("back", false));
    dead.delete("back");
    advance(30 * second);
    entered(await enter("back", false));
  });

  test("No worker joins one that has had no answer from the server for two seconds", async () => {
    const { enter, called, advance } = remembering();
    called("db", 10, false);
    entered(await enter("db", false));
    advance(2 * second);
    passed(await enter("db", false));
    called("db", 10, false);
    entered(await enter("db", false));
  });

  test("An error in the connection test is ignored, and the call reports the problem", async () => {
    const { enter } = remembering(() => Promise.reject(new RangeError("no such port")));
    entered(await enter("db:0", false));
  });

  test("Silent servers leave a slot for servers that were never contacted", async () => {
    const { enter, called } = remembering();
    called("silent", 5 * second, true);
    called("silent-too", 5 * second, true);
    entered(await enter("silent", true));
    passed(await enter("silent-too", true));
    entered(await enter("new", false));
  });

  test("An urgent worker does not wait for the end of a pause, unless another one is contacting the server", async () => {
    const { enter, called } = remembering();
    called("db", 5 * second, true);
    const probe = entered(await enter("db", true));
    passed(await enter("db", true));
    probe.leave();
    passed(await enter("db", false));
  });
});
