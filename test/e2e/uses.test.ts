import { afterAll, beforeAll, expect, test } from "vitest";
import { makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const json = { "content-type": "application/json" };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const config: object = makeConfig(places, { used: single(places, "used") });
      return { ...config, policies: { default: { afterIdle: "30d" } } };
    },
  });
  await seed(world, "used");
  await world.start();
  await world.api.rotate("used");
  await world.api.until("used", ({ lastSuccessAt }) => lastSuccessAt !== undefined);
});
afterAll(() => world.close());

const report = (body: object, target = "used") =>
  world.api.send("POST", `/api/targets/${target}/uses`, {
    headers: json,
    body: JSON.stringify(body),
  });

test.each([
  [404, "nobody", {}, 'Target "nobody" does not exist.'],
  [
    400,
    "used",
    { by: "a\nb" },
    "`by` must contain the name of the person or system that used the secret, without control or invisible characters.",
  ],
  [400, "used", { at: "soon" }, '`at` must be a time such as "2026-12-20T18:00:00Z".'],
  [400, "used", { at: "2199-01-01T00:00:00Z" }, "`at` must not be in the future."],
  [400, "used", { value: "x" }, "Unknown field `value`. Allowed: at, by."],
])("a report is answered %i for %s and %j", async (status, target, body, detail) => {
  const answer = await report(body, target);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ status, detail });
  expect(await world.api.target("used")).not.toHaveProperty("lastUsedAt");
});

test("a report is answered 202 with the time of the next rotation, also when it changes nothing", async () => {
  const { status, text } = await report({ by: "the orders service" });
  expect(status).toBe(202);
  const answer = JSON.parse(text) as { lastUsedAt: string; nextDue: string };
  expect(answer).toMatchObject({ target: "used", counted: true });
  expect(Date.parse(answer.nextDue) - Date.parse(answer.lastUsedAt)).toBe(30 * 86_400_000);
  const { lastUsedAt, nextDue } = answer;
  const known = { lastUsedAt, lastUsedBy: "the orders service", nextDue };
  expect(await world.api.target("used")).toMatchObject(known);
  const again = await report({});
  expect(again.status).toBe(202);
  expect(JSON.parse(again.text)).toMatchObject({ counted: false, lastUsedAt, nextDue });
});

test("the plan treats the target as unused from then on", async () => {
  const plan = await world.api.send("GET", "/api/plan");
  const { rotations } = JSON.parse(plan.text) as { rotations: { why: string }[] };
  expect(rotations[0]?.why).toContain("30d without use since");
});

test("a report requires the key", async () => {
  const response = await fetch(`${world.host().url}/api/targets/used/uses`, { method: "POST" });
  expect(response.status).toBe(401);
});
