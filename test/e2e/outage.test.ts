import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { listen, type Listening } from "../../conformance/faults/listening.ts";
import type { Fault } from "../../local/key-vault/faults.ts";
import { claimLength } from "../../shared/core/lifecycle/decide.ts";
import { patient } from "./world/api.ts";
import { startedLater } from "./world/clock.ts";
import { countMessages, openQueues } from "./world/queues.ts";
import {
  makeConfig,
  own,
  pair,
  published,
  publishedName,
  seed,
  seedPair,
  single,
} from "./world/targets.ts";
import { everySecond, startWorld, type World } from "./world/world.ts";

/** Accepts connections and never answers. */
let silent: Listening;
let world: World;
beforeAll(async () => {
  silent = await listen(createServer());
  world = await startWorld({
    sweep: everySecond,
    config: (places) => {
      const at = (port: number) => ({ options: { ...places.postgresql, port } });
      return makeConfig(
        places,
        {
          one: single(places, "one"),
          two: pair(places, "two"),
          self: own(places, "self"),
          due: single(places, "due"),
          "due-too": own(places, "due-too"),
          dead: single(places, "dead", at(1)),
          mute: single(places, "mute", at(silent.port)),
          keyless: single(places, "keyless", { admin: { secret: "no-such-secret" } }),
        },
        { policies: { default: { every: "90d", retry: { attempts: 100, every: "1s" } } } },
      );
    },
  });
  for (const name of ["due", "due-too", "dead", "mute", "keyless"]) {
    await seed(world, name, { ageInDays: 91 });
  }
  for (const name of ["one", "self"]) await seed(world, name);
  await seedPair(world, "two");
  await world.start();
});
afterAll(async () => {
  await world.close();
  await silent.close();
});

/** Reads the stored passwords of all accounts from PostgreSQL. */
async function storedInDatabase(): Promise<string> {
  const rows = await world.database.sql("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1");
  return JSON.stringify(rows);
}

/** Waits for a text in the later output of the app. */
function hears(...words: readonly string[]): Promise<void> {
  const { length } = world.output.written;
  return vi.waitFor(() => {
    const lines = world.output.written.slice(length).split("\n");
    expect(lines.some((line) => words.every((word) => line.includes(word)))).toBe(true);
  }, patient);
}

const event = (type: string) => String.raw`\"type\":\"${type}\"`;
const about = (target: string) => String.raw`\"targetId\":\"${target}\"`;

/** Runs a task when a rotation stores its pending secret, directly before it changes the target. */
function storeBeforeChange(name: string, act: () => void): void {
  const { faults } = world.vault;
  let done = false;
  faults.add({
    kind: "latency",
    ms: 0,
    match(request) {
      const isIt = request.operation === "set-secret" && request.name === `keyturn-pending-${name}`;
      if (isIt && !done) {
        done = true;
        act();
      }
      return false;
    },
  });
}

async function expectWorks(name: string): Promise<void> {
  const { username, password } = await published(world.secrets, name);
  expect(await world.database.logsIn(username, password)).toBe(true);
}

test("A target with a dead or silent host, or without an admin, does not stop other targets", async () => {
  const { api } = world;
  for (const name of ["due", "due-too"]) {
    await api.until(name, ({ lastSuccessAt }) => lastSuccessAt !== undefined);
    await expectWorks(name);
  }
  const dead = await api.until("dead", ({ health }) => health === "failing");
  expect(dead.lastFailure).toMatchObject({ kind: "target-unavailable" });
  expect(dead.lastFailure?.message).toContain("the host refused the connection");
  const keyless = await api.until("keyless", ({ health }) => health === "failing");
  expect(keyless.lastFailure).toMatchObject({ kind: "config" });
  await api.until("mute", ({ health }) => health === "failing");
  // These failures are expected: the host retries nothing, and no alarm is raised.
  expect(await api.alarms()).toEqual([]);
});

describe("A vault that", () => {
  const set = (name: string) => ({ operation: "set-secret", name }) as const;
  const everywhere = { name: /^(one-secret|keyturn-pending-one|postgresql-admin)$/ };

  test.each<[string, Fault]>([
    ["throttles", { kind: "status", status: 429, retryAfter: 1, match: everywhere, times: 2 }],
    ["has a fault", { kind: "status", status: 500, match: everywhere, times: 4 }],
    ["is busy", { kind: "status", status: 503, match: everywhere, times: 9 }],
    ["cuts connections", { kind: "reset-before-effect", match: everywhere, times: 7 }],
    ["is slow", { kind: "latency", ms: 300, match: everywhere, times: 5 }],
    [
      "loses the reply to the pending version",
      { kind: "lost-reply-after-effect", match: set("keyturn-pending-one") },
    ],
    [
      "loses every reply to the pending version for a while",
      { kind: "lost-reply-after-effect", match: set("keyturn-pending-one"), times: 4 },
    ],
    [
      "loses the reply to the published version",
      { kind: "lost-reply-after-effect", match: set(publishedName("one")), times: 3 },
    ],
    [
      "loses the reply when the pending version is disabled",
      { kind: "lost-reply-after-effect", match: { operation: "update-secret" }, times: 4 },
    ],
  ])("%s delays a rotation without damage", async (_, fault) => {
    const { api, database, secrets, vault } = world;
    await api.until("one", ({ rotation }) => rotation === undefined);
    const before = await published(secrets, "one");
    const placed = vault.faults.add(fault);
    const run = await api.ended(await api.rotate("one"));
    expect(placed.fired).toBe(fault.times ?? 1);
    placed.remove();

    expect(run.state).toBe("done");
    const after = await published(secrets, "one");
    expect(run.published?.version).toBe(after.version);
    expect(await database.logsIn("one", after.password)).toBe(true);
    expect(await database.logsIn("one", before.password)).toBe(false);
    expect(await api.target("one")).toMatchObject({ health: "healthy" });
  });

  test("is down changes no target, and the rotations follow when it is back", async () => {
    const { api, vault } = world;
    const before = await storedInDatabase();
    const down = vault.faults.add({
      kind: "status",
      status: 503,
      match: () => true,
      times: Infinity,
    });
    const locations = await Promise.all(["one", "two", "self"].map((name) => api.rotate(name)));
    for (const name of ["one", "two", "self"]) {
      await api.until(name, ({ lastFailure }) => lastFailure?.kind === "vault-unavailable");
    }
    expect(await storedInDatabase()).toBe(before);
    down.remove();
    for (const location of locations) {
      expect(await api.ended(location)).toMatchObject({ state: "done" });
    }
    for (const name of ["one", "two", "self"]) await expectWorks(name);
  });
});

describe("A PostgreSQL that", () => {
  test.each(["one", "two", "self"])(
    "stops in the middle of a rotation is changed when it is back: %s",
    async (name) => {
      const { api, lines, secrets } = world;
      const before = await published(secrets, name);
      storeBeforeChange(name, () => {
        lines.database.cut();
      });
      const failure = hears(event("attempt-failed"), about(name), "target-unavailable");
      const location = await api.rotate(name);
      await failure;
      expect(await published(secrets, name)).toEqual(before);
      lines.database.restore();
      expect(await api.ended(location)).toMatchObject({ state: "done" });
      expect((await published(secrets, name)).version).not.toBe(before.version);
      await expectWorks(name);
    },
  );
});

describe("Without storage", () => {
  test("requests are answered 503 with a sentence, the health is down, and nothing is changed", async () => {
    const { api, lines } = world;
    const before = await storedInDatabase();
    lines.table.cut();
    for (const [method, path] of [
      ["POST", "/api/targets/one/rotations"],
      ["GET", "/api/targets/one"],
      ["GET", "/api/targets"],
    ] as const) {
      const answer = await api.send(method, path);
      expect(answer.status).toBe(503);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(JSON.parse(answer.text)).toMatchObject({
        detail: expect.stringMatching(/\.$/) as string,
      });
    }
    await vi.waitFor(async () => {
      const health = await fetch(`${world.host().url}/api/health`);
      expect(health.status).toBe(503);
      expect(await health.json()).toEqual({ status: "down" });
    }, patient);
    expect(await storedInDatabase()).toBe(before);
    lines.table.restore();
    expect(await api.ended(await api.rotate("one"))).toMatchObject({ state: "done" });
    await expectWorks("one");
  });

  test("messages that arrive meanwhile wait until the journal is back, and are not lost", async () => {
    const { api, lines, storage } = world;
    lines.table.cut();
    const failure = hears(event("journal-unavailable"), about("one"));
    await openQueues(storage).work.sendMessage('{"targetId":"one","because":"due"}');
    await failure;
    lines.table.restore();
    await vi.waitFor(async () => {
      expect(await countMessages(openQueues(storage).work)).toBe(0);
    }, patient);
    expect(await api.target("one")).toMatchObject({ health: "healthy" });
  });

  test("a request that was accepted while the queue was down is carried out when it is back", async () => {
    const { api, lines } = world;
    lines.queue.cut();
    const location = await api.rotate("self");
    lines.queue.restore();
    expect(await api.ended(location)).toMatchObject({ state: "done" });
    await expectWorks("self");
  });

  test("a rotation stops, and another process continues it when its claim has expired", async () => {
    const { api, lines } = world;
    storeBeforeChange("two", () => {
      lines.table.cut();
    });
    const failure = hears(event("journal-unavailable"), about("two"));
    const location = await api.rotate("two");
    await failure;
    await expectWorks("two");
    await world.host().kill();
    lines.table.restore();
    await world.start(startedLater(claimLength + 1_000));
    expect(await api.ended(location)).toMatchObject({ state: "done" });
    await expectWorks("two");
  });
});
