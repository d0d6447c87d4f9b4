import { afterAll, beforeAll, expect, test } from "vitest";
import { makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => ({
      ...makeConfig(places, { one: single(places, "one") }),
      api: { limits: { reads: 40, writes: 10 } },
    }),
  });
  await seed(world, "one");
  await world.start();
});
afterAll(() => world.close());

test("A caller with too many writes gets 429 with Retry-After, may still read, and comes back", async () => {
  const use = () => world.api.send("POST", "/api/targets/one/uses");
  const first = await use();
  expect(first.status).toBe(202);
  expect(first.headers.get("ratelimit-policy")).toBe('"writes";q=10;w=60');
  expect(first.headers.get("ratelimit")).toMatch(/^"writes";r=[89];t=\d+$/);
  const rest = await Promise.all(Array.from({ length: 20 }, use));
  const refused = rest.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(9);
  for (const { headers, text } of refused) {
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(headers.get("ratelimit")).toMatch(/^"writes";r=0;t=\d+$/);
    expect(JSON.parse(text)).toMatchObject({
      type: "urn:problem-type:keyturn:too-many-requests",
      detail: expect.stringMatching(
        /^You sent too many POST requests\. The limit is 10 /,
      ) as string,
    });
  }
  const read = await world.api.send("GET", "/api/targets/one");
  expect(read.status).toBe(200);
  expect(read.headers.get("ratelimit")).toContain('"reads"');
  const wait = Math.max(...refused.map(({ headers }) => Number(headers.get("retry-after"))));
  await new Promise((resolve) => setTimeout(resolve, wait * 1_000 + 200));
  expect((await use()).status).toBe(202);
});

test("The health of the app is not limited", async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => fetch(`${world.host().url}/api/health`)),
  );
  for (const { status, headers } of answers) {
    expect(status).toBe(200);
    expect(headers.has("ratelimit")).toBe(false);
  }
});
