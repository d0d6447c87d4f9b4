import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { BreachTargetView, BreachView } from "../../shared/core/breach/views.ts";
import { patient } from "./world/api.ts";
import { makeConfig, pair, published, seed, seedPair, single } from "./world/targets.ts";
import { everySecond, startWorld, type World } from "./world/world.ts";

let world: World;
let first: string;
beforeAll(async () => {
  world = await startWorld({
    sweep: everySecond,
    config: (places) => {
      const tags = { env: "production", owner: "ada" };
      const targets = {
        one: single(places, "one", { tags }),
        two: pair(places, "two", { tags: { ...tags, team: "payments" } }),
        odd: single(places, "odd"),
        stuck: single(places, "stuck"),
      };
      const retry = { attempts: 1, every: "1s", thenEvery: "1h" };
      return makeConfig(places, targets, { policies: { default: { every: "90d", retry } } });
    },
  });
  for (const name of ["one", "odd", "stuck"]) await seed(world, name);
  first = await seedPair(world, "two");
  await world.start();
  for (const name of ["one", "two", "odd", "stuck"]) {
    await world.api.until(name, ({ health }) => health === "healthy");
  }
  await world.database.sql("REVOKE stuck FROM rotation_admin");
});
afterAll(() => world.close());

interface Preview {
  readonly breach: BreachView;
  readonly targets: readonly BreachTargetView[];
  readonly next?: string;
}

const reason = "host compromised";

async function preview(selection: object): Promise<Preview> {
  const { status, body } = await world.api.post("/api/breaches", { reason, ...selection });
  expect([status, body]).toMatchObject([201, {}]);
  return body as unknown as Preview;
}

const ended = (id: string) =>
  vi.waitFor(async () => {
    const breach = await world.api.read<BreachView>(`/api/breaches/${id}`);
    expect(breach.state).toBe("ended");
    return breach;
  }, patient);

describe("A breach", () => {
  test("is previewed with its targets, order, gaps and estimate, and changes nothing", async () => {
    const { breach, targets } = await preview({ tags: ["env:production"], owner: "ada" });
    expect(breach).toMatchObject({
      state: "preview",
      by: "function key",
      reason,
      selection: {
        tags: [
          ["env", "production"],
          ["owner", "ada"],
        ],
      },
      summary: { targets: 2, withGap: 1, keepOldPassword: 0, obstacles: {} },
      estimate: { vaults: [{ name: "main", count: 4, perTenSeconds: 280 }] },
    });
    expect(targets.map(({ target, hasGap }) => [target, hasGap])).toEqual([
      ["one", true],
      ["two", false],
    ]);
    const { username, password } = await published(world.secrets, "two");
    expect([username, password]).toEqual(["two_a", first]);
    const cancelled = await world.api.post(`/api/breaches/${breach.id}/cancel`, {});
    expect(cancelled).toMatchObject({ status: 200, body: { state: "ended" } });
    const confirmed = await world.api.post(`/api/breaches/${breach.id}/confirm`, {});
    expect(confirmed).toMatchObject({
      status: 409,
      body: { type: "urn:problem-type:keyturn:breach-state" },
    });
  });

  test("rotates what was selected, ends the old password of a pair, and reports each target", async () => {
    const { breach } = await preview({ targets: ["stuck", "two"], giveUpAfter: "30s" });
    const path = `/api/breaches/${breach.id}`;
    const [one, again] = await Promise.all([
      world.api.post(`${path}/confirm`, { ticket: "SEC-1" }),
      world.api.post(`${path}/confirm`, { ticket: "SEC-2" }),
    ]);
    expect([one.status, again.status]).toEqual([200, 200]);
    expect(await ended(breach.id)).toMatchObject({ counts: { rotated: 1, failed: 1, left: 0 } });
    const { targets } = await world.api.read<Preview>(`${path}/targets?limit=1`);
    const { targets: failed } = await world.api.read<Preview>(`${path}/targets?state=failed`);
    expect(targets).toHaveLength(1);
    expect(failed).toMatchObject([
      {
        target: "stuck",
        failure: { kind: "change-refused" },
        outcome: expect.any(String) as string,
      },
    ]);
    const { targets: rotated } = await world.api.read<Preview>(`${path}/targets?state=rotated`);
    const now = await published(world.secrets, "two");
    expect(rotated).toMatchObject([
      { target: "two", oldPasswordWorks: false, version: { version: now.version } },
    ]);
    expect(now.username).toBe("two_b");
    expect(await world.database.logsIn("two_b", now.password)).toBe(true);
    expect(await world.database.logsIn("two_a", first)).toBe(false);
    const run = await world.api.read<object>(
      `/api/targets/two/rotations/${rotated[0]?.rotationId ?? ""}`,
    );
    expect(run).toMatchObject({ cause: "exposure", reason, state: "done" });
    const topics = () => JSON.stringify(world.topic.events().map(({ event }) => event));
    await expect.poll(topics, patient).toContain("Keyturn.Breach.Ended");
  });

  test("is listed page by page, with those that ended", async () => {
    const { breaches, next = "" } = await world.api.read<{ breaches: BreachView[]; next?: string }>(
      "/api/breaches?limit=1",
    );
    const rest = await world.api.read<{ breaches: BreachView[]; next?: string }>(next);
    expect([...breaches, ...rest.breaches].map(({ state }) => state)).toEqual(["ended", "ended"]);
    const other = await world.api.send("GET", next.replace("breaches", "alarms"));
    expect(other.status).toBe(400);
  });

  test("can be paused and resumed, and refuses what its state excludes", async () => {
    const { breach } = await preview({ targets: ["odd"] });
    const act = (what: string) => world.api.post(`/api/breaches/${breach.id}/${what}`, {});
    expect((await act("pause")).status).toBe(409);
    expect((await act("confirm")).status).toBe(200);
    const paused = await act("pause");
    // The rotation may have ended already.
    expect([200, 409]).toContain(paused.status);
    if (paused.status === 200) expect((await act("resume")).body["state"]).toBe("running");
    expect(await ended(breach.id)).toMatchObject({ counts: { rotated: 1 } });
    expect((await act("resume")).status).toBe(409);
    expect((await act("cancel")).status).toBe(409);
  });

  test.each([
    [
      {},
      "Select targets: give at least one of targets, tags, owner, host, vault, type, policy, exposedBy.",
    ],
    [
      { targets: ["one"], host: "127.0.0.1" },
      "`targets` and `host` cannot be combined. Give a list or conditions.",
    ],
    [{ targets: ["nobody"] }, 'There is no target "nobody".'],
    [{ host: "nowhere" }, 'No target has host "nowhere".'],
    [{ tags: ["env:test"] }, 'No target has tag "env=test".'],
    [{ tags: ["env"] }, "`tag` must be a name and a value such as `team:payments`."],
    [{ exposedBy: "eve" }, 'No target has exposedBy "eve".'],
    [{ targets: ["one"], giveUpAfter: "1s" }, "`giveUpAfter` must be at least 10s."],
    [{ hots: "x" }, "Unknown field `hots`. Did you mean `host`?"],
  ])("of %j is refused with a sentence", async (selection, message) => {
    const { status, body } = await world.api.post("/api/breaches", { reason, ...selection });
    expect(status).toBe(400);
    expect(body["detail"]).toContain(message);
  });
});

test("A breach by the identity that saw a secret finds it after other reports", async () => {
  for (const by of ["ben", "eve"]) {
    await world.api.post("/api/targets/one/exposures", { by });
  }
  const { targets } = await preview({ exposedBy: "eve" });
  expect(targets).toMatchObject([{ target: "one", place: 1 }]);
  expect(targets[0]?.why).toContain("exposure reported by ben");
});
