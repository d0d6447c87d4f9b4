import { afterAll, beforeAll, expect, test } from "vitest";
import { startRotatedSingles } from "./world/rotated-singles.ts";
import type { World } from "./world/world.ts";

const names = ["alone", "left", "right"];
const until = new Date(Date.now() + 2 * 86_400_000).toISOString();
const reason = "move of the server";

let world: World;
beforeAll(async () => {
  world = await startRotatedSingles(names);
});
afterAll(() => world.close());

const post = (path: string, body?: object) => world.api.post(path, body);

test("A paused target accepts requests, which wait until a person forces one or resumes the target", async () => {
  const { api } = world;
  const first = await api.target("alone");
  const paused = await post("/api/targets/alone/pause", { reason, until });
  expect(paused).toMatchObject({
    status: 200,
    body: { target: "alone", pause: { reason, by: "function key", until } },
  });
  const asked = await post("/api/targets/alone/rotations", {});
  expect(asked).toMatchObject({
    status: 202,
    body: { queuedUntil: until, queuedWhy: expect.stringContaining(reason) as string },
  });
  expect(await api.target("alone")).toMatchObject({ pause: { until }, queuedUntil: until });
  const exposed = await post("/api/targets/alone/rotations", { cause: "exposure" });
  expect(exposed.body).toMatchObject({
    queuedUntil: until,
    queuedWhy: expect.stringContaining("a request with force does not wait") as string,
  });
  expect((await api.target("alone")).published).toEqual(first.published);

  const forced = await post("/api/targets/alone/rotations", { force: "ticket 42" });
  expect(forced.body).not.toHaveProperty("queuedUntil");
  expect(await api.ended(String(forced.body["status"]))).toMatchObject({
    state: "done",
    force: { why: "ticket 42", by: "function key" },
  });

  const second = await post("/api/targets/alone/rotations", {});
  expect(second.body).toMatchObject({ queuedUntil: until });
  expect(await post("/api/targets/alone/resume")).toMatchObject({
    status: 200,
    body: { target: "alone", resumed: true },
  });
  expect(await api.ended(String(second.body["status"]))).toMatchObject({ state: "done" });
  expect(await api.target("alone")).not.toHaveProperty("pause");
});

test("A selection is paused and resumed, and its answer lists each target", async () => {
  const selected = { targets: ["left", "right"] };
  const paused = await post("/api/pauses", { ...selected, reason, until });
  expect(paused).toMatchObject({
    status: 200,
    body: { paused: [{ target: "left" }, { target: "right" }], notWritten: [] },
  });
  const again = await post("/api/pauses", { type: "postgresql", reason: "other", until });
  expect(again.body["paused"]).toMatchObject([
    { target: "alone" },
    { target: "left", pause: { reason: "other" }, replaced: { reason } },
    { target: "right", replaced: { reason } },
  ]);
  await post("/api/targets/left/resume");
  const resumed = await post("/api/resumes", { type: "postgresql" });
  expect(resumed).toMatchObject({
    status: 200,
    body: {
      resumed: [{ target: "alone" }, { target: "right" }],
      notPaused: [{ target: "left", why: "The target was not paused." }],
      notWritten: [],
    },
  });
});

test.each([
  ["/api/targets/alone/pause", { until }, 400, "`reason` must contain the reason for the pause"],
  ["/api/targets/alone/pause", { reason }, 400, "every pause ends"],
  ["/api/targets/alone/pause", { reason, until: "2020-01-01" }, 400, "must be in the future"],
  ["/api/targets/alone/pause", { reason, until: "2999-01-01" }, 400, "at most 90d ahead"],
  ["/api/targets/nobody/pause", { reason, until }, 404, 'Target "nobody" does not exist.'],
  ["/api/targets/nobody/resume", undefined, 404, 'Target "nobody" does not exist.'],
  ["/api/pauses", { reason, until }, 400, "Select targets: give `targets` or at least one of"],
  ["/api/pauses", { reason, until, targets: [] }, 400, "a list of 1 to 1000 ids"],
  [
    "/api/pauses",
    { reason, until, targets: ["a", "left", "b"] },
    404,
    '2 targets do not exist: "a", "b". Nothing was changed.',
  ],
  ["/api/pauses", { reason, until, targets: ["left"], type: "x" }, 400, "cannot be combined"],
  ["/api/pauses", { reason, until, policy: "nobody" }, 400, "No target matches all filters"],
  ["/api/pauses", { reason, until, polcy: "x" }, 400, "Did you mean `policy`?"],
  ["/api/resumes", {}, 400, "Select targets"],
])("POST %s with %j is refused with %i and a sentence", async (path, body, status, sentence) => {
  const refused = await post(path, body);
  expect(refused.status).toBe(status);
  expect(refused.body["detail"]).toContain(sentence);
  for (const name of names) expect(await world.api.target(name)).not.toHaveProperty("pause");
});
