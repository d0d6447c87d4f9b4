import { afterAll, beforeAll, expect, test } from "vitest";
import { startRotatedSingles } from "./world/rotated-singles.ts";
import { everySecond, type World } from "./world/world.ts";

const names = ["frozen", "free"];
const until = new Date(Date.now() + 2 * 86_400_000).toISOString();
const reason = "audit";

let world: World;
beforeAll(async () => {
  world = await startRotatedSingles(names, { sweep: everySecond });
});
afterAll(() => world.close());

const post = (path: string, body?: object) => world.api.post(path, body);

test("A freeze delays the rotations of its selection until a person ends it", async () => {
  const { api } = world;
  const wanted = { reason, until, targets: ["frozen"] };
  const { status, body } = await post("/api/freezes", wanted);
  expect({ status, ...body }).toMatchObject({
    status: 201,
    state: "in force",
    matches: 1,
    by: "function key",
    lift: ["exposure", "breach"],
  });
  const held = await post("/api/targets/frozen/rotations", {});
  expect(held.body).toMatchObject({
    queuedUntil: until,
    queuedWhy: expect.stringContaining("audit, set by function key") as string,
  });
  expect(await api.target("frozen")).toMatchObject({ queuedUntil: until });
  await api.ended(await api.rotate("free"));
  const { text } = await api.send("GET", `/api/plan?to=${until.slice(0, 10)}`);
  expect(JSON.parse(text)).toMatchObject({ rotations: [] });

  const id = String(body["id"]);
  expect((await post(`/api/freezes/${id}/end`)).body).toMatchObject({ id, state: "ended" });
  expect(await api.ended(String(held.body["status"]))).toMatchObject({ state: "done" });
  const list = JSON.parse((await api.send("GET", "/api/freezes")).text) as object;
  expect(list).toMatchObject({ freezes: [{ id, state: "ended", endedBy: "function key" }] });
});

test.each([
  [{ until, everything: true }, 400, "`reason` must contain the reason for the freeze"],
  [{ reason, everything: true }, 400, "every freeze ends"],
  [{ reason, until: "2020-01-01", everything: true }, 400, "must be in the future"],
  [{ reason, until }, 400, "Select targets: give `everything` or at least one of targets"],
  [{ reason, until, everything: true, type: "x" }, 400, "cannot be combined"],
  [{ reason, until, targets: ["free", "fre"] }, 400, 'these targets do not exist: "fre"'],
  [{ reason, until, type: "postgres" }, 400, "no target matches all filters"],
  [
    { reason, until, everything: true, lift: ["operator"] },
    400,
    "Unknown value of `lift`. Allowed: exposure, breach.",
  ],
  [{ reason, until, everything: true, lfit: [] }, 400, "Did you mean `lift`?"],
])("A freeze %j is refused with %i and a sentence", async (body, status, sentence) => {
  const refused = await post("/api/freezes", body);
  expect(refused.status).toBe(status);
  expect(refused.body["detail"]).toContain(sentence);
});

test("The end of a freeze that does not exist is answered 404", async () => {
  const none = await post("/api/freezes/01JQ0000000000000000000000/end");
  expect(none).toMatchObject({
    status: 404,
    body: { detail: "Freeze 01JQ0000000000000000000000 does not exist." },
  });
});
