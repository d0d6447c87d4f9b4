import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const names = ["again", "frozen", "other", "last"];
const daysFromNow = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const frozenUntil = daysFromNow(16);
const freeze = [{ from: "2020-01-01", to: daysFromNow(15), reason: "audit" }];

const json = { "content-type": "application/json" };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const targets = Object.fromEntries(names.map((name) => [name, single(places, name)]));
      const config: object = makeConfig(places, targets);
      const frozen = { match: { target: "frozen" }, every: "90d", freeze };
      return { ...config, policies: { default: { every: "90d" }, frozen } };
    },
  });
  for (const name of names) await seed(world, name);
  await world.start();
});
afterAll(() => world.close());

describe("A rotation request during a freeze", () => {
  const until = `${frozenUntil}T00:00:00.000Z`;
  const ask = async (wanted: object) => {
    const init = { headers: json, body: JSON.stringify(wanted) };
    return world.api.send("POST", "/api/targets/frozen/rotations", init);
  };

  test("is answered 202 with the end and the reason of its wait, and can lift the freeze with a reason", async () => {
    const { api } = world;
    const held = await ask({});
    expect(held.status).toBe(202);
    const waits = { queuedUntil: until, queuedWhy: expect.stringContaining("audit") as string };
    const { rotation, ...body } = JSON.parse(held.text) as { rotation: string };
    expect(body).toMatchObject({ target: "frozen", joined: false, ...waits });
    const location = `/api/targets/frozen/rotations/${rotation}`;
    const read = async () => JSON.parse((await api.send("GET", location)).text) as object;
    expect(await read()).toMatchObject({ state: "queued", cause: "operator", ...waits });
    expect(await api.target("frozen")).toMatchObject({ queuedRotation: rotation, ...waits });

    expect((await ask({ cause: "exposure" })).status).toBe(202);
    expect(await read()).toMatchObject({ state: "queued", cause: "exposure", ...waits });

    const lifted = await ask({ liftFreeze: "ticket 42" });
    const answer = JSON.parse(lifted.text) as { queuedUntil?: string };
    expect(answer).toMatchObject({ rotation, joined: true });
    // The freeze is lifted even while a worker adopts the target.
    expect(answer.queuedUntil).not.toBe(until);
    expect(await api.ended(location)).toMatchObject({
      state: "done",
      cause: "exposure",
      lift: { why: "ticket 42", by: "function key" },
    });
  });
});

describe("A list", () => {
  test("of rotations can be read page by page while others are added", async () => {
    const { api } = world;
    const page = async (path: string) =>
      JSON.parse((await api.send("GET", path)).text) as {
        rotations: { rotationId: string }[];
        next?: string;
      };
    for (let times = 0; times < 2; times++) await api.ended(await api.rotate("again"));
    const all = (await api.rotations("again")).map(({ rotationId }) => rotationId);
    const first = await page("/api/targets/again/rotations?limit=1");
    await api.ended(await api.rotate("again"));
    expect(first.next).toMatch(/^\/api\/targets\/again\/rotations\?limit=1&cursor=[\w-]+$/);
    const second = await page(first.next ?? "");
    const ids = [...first.rotations, ...second.rotations].map(({ rotationId }) => rotationId);
    expect(ids).toEqual(all);
    expect(second).not.toHaveProperty("next");
  });

  test("of targets is complete without a limit, and has pages with one", async () => {
    const ids: string[] = [];
    let path: string | undefined = "/api/targets?limit=3";
    while (path !== undefined) {
      const { text } = await world.api.send("GET", path);
      const body = JSON.parse(text) as { targets: { id: string }[]; next?: string };
      ids.push(...body.targets.map(({ id }) => id));
      path = body.next;
    }
    expect(ids).toEqual(names);
  });

  test("of alarms may be empty, and then has no next page", async () => {
    const { text } = await world.api.send("GET", "/api/alarms?limit=1");
    expect(JSON.parse(text)).toEqual({ alarms: [] });
  });
});
