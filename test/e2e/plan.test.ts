import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configOf, seed, single } from "./targets.ts";
import { startWorld, type World } from "./world.ts";

const names = ["seen", "left"];
const json = { "content-type": "application/json" };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const targets = Object.fromEntries(names.map((name) => [name, single(places, name)]));
      const config: object = configOf(places, targets);
      const watched = {
        match: { target: "*" },
        every: "90d",
        afterExposure: "4h",
        exemptIdentities: ["auditor-*"],
      };
      return { ...config, policies: { default: { every: "90d" }, watched } };
    },
  });
  for (const name of names) await seed(world, name);
  await world.start();
  for (const name of names) {
    await world.api.send("POST", `/api/targets/${name}/rotations`);
    await world.api.until(name, ({ lastSuccessAt }) => lastSuccessAt !== undefined);
  }
});
afterAll(() => world.close());

const report = (body: object, target = "seen") =>
  world.api.send("POST", `/api/targets/${target}/exposures`, {
    headers: json,
    body: JSON.stringify(body),
  });

describe("Reporting an exposure", () => {
  test("is answered 202 with when the secret will be changed for it, and why", async () => {
    const before = Date.now();
    const { status, text } = await report({ by: "ben", from: "a build log" });
    expect(status).toBe(202);
    const answer = JSON.parse(text) as { nextDue: string; why: string };
    expect(answer).toMatchObject({ target: "seen", counted: true });
    expect(answer.why).toContain("policy watched: 4h after the exposure at ");
    const wait = Date.parse(answer.nextDue) - before;
    expect(wait).toBeGreaterThanOrEqual(4 * 3_600_000);
    expect(wait).toBeLessThan(5 * 3_600_000);
    const view = await world.api.target("seen");
    expect(view).toMatchObject({
      policy: "watched",
      policyWhy: "matches target *, priority 0",
      policiesPassedOver: [{ policy: "default", why: "is only for targets that name it" }],
      nextDue: answer.nextDue,
      dueReason: answer.why,
      exposure: { by: "ben", from: "a build log", kind: "exposure" },
    });
  });

  test("by somebody who may see the secret is answered 202, and that it does not count", async () => {
    const { status, text } = await report({ by: "Auditor-7", kind: "breach" }, "left");
    expect(status).toBe(202);
    expect(JSON.parse(text)).toMatchObject({ counted: false });
  });

  test.each([
    [404, "nobody", { by: "ben" }, 'There is no target "nobody".'],
    [400, "left", {}, "by must say who saw the secret, in 1 to 200 characters."],
    [400, "left", { by: "a\nb" }, "by must say who saw the secret, in 1 to 200 characters."],
    [
      400,
      "left",
      { by: "ben", at: "soon" },
      'at must be an instant such as "2026-12-20T18:00:00Z".',
    ],
    [400, "left", { by: "ben", at: "2199-01-01T00:00:00Z" }, "at must not lie in the future."],
    [400, "left", { by: "ben", kind: "leak" }, "kind must be one of exposure and breach."],
    [
      400,
      "left",
      { by: "ben", version: "a/b" },
      "version must be the id of a version of the secret.",
    ],
    [
      400,
      "left",
      { by: "ben", password: "x" },
      "The body may hold by, at, from, version, kind, and not password.",
    ],
  ])("is answered %i for %s and %j", async (status, target, body, detail) => {
    const answer = await report(body, target);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ status, detail });
    expect(await world.api.target("left")).not.toHaveProperty("exposure");
  });
});

describe("The plan", () => {
  test("lists what is to come as JSON, as text and as a calendar", async () => {
    const plan = await world.api.send("GET", "/api/plan");
    expect(plan.headers.get("content-type")).toContain("application/json");
    const { rotations } = JSON.parse(plan.text) as { rotations: { targetId: string }[] };
    expect(rotations[0]).toMatchObject({ targetId: "seen", policy: "watched" });
    const table = await world.api.send("GET", "/api/plan?format=text");
    expect(table.text).toMatch(/^WHEN +TARGET +WHY$/m);
    const calendar = await world.api.send("GET", "/api/plan?format=ics&to=2199-01-01");
    expect(calendar.status).toBe(400);
    const year = new Date(Date.now() + 300 * 86_400_000).toISOString();
    const events = await world.api.send("GET", `/api/plan?format=ics&to=${year}`);
    expect(events.headers.get("content-type")).toContain("text/calendar");
    expect(events.text.match(/^BEGIN:VEVENT\r$/gm)?.length).toBeGreaterThan(names.length);
  });

  test.each([
    ["format=pdf", "format must be one of text, json, ics."],
    [
      "from=tomorrow",
      'from must be a day or an instant such as "2026-12-20" or "2026-12-20T18:00:00Z".',
    ],
    [
      "from=2026-02-30",
      'from must be a day or an instant such as "2026-12-20" or "2026-12-20T18:00:00Z".',
    ],
    ["from=2026-01-02&to=2026-01-01", "to must lie after from, which is now if it is left out."],
    ["from=2026-01-01&to=2028-01-01", "to must lie at most 366 days after from."],
  ])("is answered 400 for %s", async (query, detail) => {
    const answer = await world.api.send("GET", `/api/plan?${query}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, detail });
  });

  test.each([
    ["GET", "/api/plan"],
    ["POST", "/api/targets/seen/exposures"],
  ])("is for those who have the key, as is %s %s", async (method, path) => {
    const response = await fetch(`${world.host().url}${path}`, { method });
    expect(response.status).toBe(401);
  });
});
