import { afterAll, beforeAll, expect, test } from "vitest";
import { makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const until = new Date(Date.now() + 2 * 86_400_000).toISOString();
const given = { reason: "host compromised", ticket: "INC0007" };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const api = { require: ["reason", "ticket"], ticketPattern: "INC????" };
      return { ...makeConfig(places, { one: single(places, "one") }), api };
    },
  });
  await seed(world, "one");
  await world.start();
});
afterAll(() => world.close());

test.each<[string, object]>([
  ["/api/targets/one/rotations", {}],
  ["/api/targets/one/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel", {}],
  ["/api/targets/one/exposures", { by: "anna" }],
  ["/api/targets/one/pause", { until, reason: "move" }],
  ["/api/targets/one/resume", {}],
  ["/api/pauses", { until, reason: "move", targets: ["one"] }],
  ["/api/resumes", { targets: ["one"] }],
  ["/api/freezes", { until, reason: "audit", everything: true }],
  ["/api/freezes/01ARZ3NDEKTSV4RRFFQ69G5FAV/end", {}],
])("POST %s is refused without what the configuration requires", async (path, body) => {
  const without = await world.api.post(path, body);
  const missing = "reason" in body ? "`ticket`" : "`reason` and `ticket`";
  expect(without).toMatchObject({
    status: 400,
    body: { detail: `The configuration requires ${missing}. Add ${missing} to the request.` },
  });
  const foreign = await world.api.post(path, { ...body, ...given, ticket: "JIRA-7" });
  expect(foreign).toMatchObject({ status: 400, body: { detail: "`ticket` must match INC????." } });
  const odd = await world.api.post(path, { ...body, ...given, ticket: "INC 007" });
  expect([odd.status, odd.body["detail"]]).toEqual([
    400,
    expect.stringContaining("`ticket` must be the id of a ticket"),
  ]);
});

test("The reason and the ticket are shown wherever people look", async () => {
  const { api } = world;
  const paused = await api.post("/api/targets/one/pause", { ...given, until });
  expect(paused).toMatchObject({ status: 200, body: { pause: { ...given, by: "function key" } } });
  expect(await api.target("one")).toMatchObject({ pause: given });
  const requested = await api.post("/api/targets/one/rotations", given);
  expect(requested.status).toBe(202);
  expect(requested.body["why"]).toContain("reason: host compromised; ticket: INC0007");
  expect((await api.post("/api/targets/one/resume", given)).status).toBe(200);
  expect(await api.ended(String(requested.body["status"]))).toMatchObject({
    state: "done",
    cause: "operator",
    ...given,
  });
  const frozen = await api.post("/api/freezes", { ...given, until, everything: true });
  expect(frozen).toMatchObject({ status: 201, body: given });
  const ending = { reason: "done sooner", ticket: "INC0008" };
  const ended = await api.post(`/api/freezes/${String(frozen.body["id"])}/end`, ending);
  expect(ended).toMatchObject({
    status: 200,
    body: { ...given, endReason: "done sooner", endTicket: "INC0008" },
  });
  const exposed = await api.post("/api/targets/one/exposures", { by: "anna", ...given });
  expect(exposed.status).toBe(202);
});

test("A report of a use needs neither", async () => {
  expect((await world.api.post("/api/targets/one/uses", { by: "a job" })).status).toBe(202);
});
