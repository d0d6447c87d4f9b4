import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRotatedSingles } from "./world/rotated-singles.ts";
import type { World } from "./world/world.ts";

const until = new Date(Date.now() + 2 * 86_400_000).toISOString();

let world: World;
beforeAll(async () => {
  world = await startRotatedSingles(["one", "two"]);
});
afterAll(() => world.close());

async function send(path: string, body: object, key: string) {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  const answer = await world.api.send("POST", path, { headers, body: JSON.stringify(body) });
  return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
}

/** A freeze that delays nothing here. */
const planned = { from: new Date(Date.now() + 86_400_000).toISOString(), until, everything: true };

const requests: readonly (readonly [path: string, body: object, other: object])[] = [
  ["/api/targets/one/pause", { until, reason: "move" }, { until, reason: "another" }],
  ["/api/targets/one/resume", {}, { reason: "another" }],
  ["/api/pauses", { until, reason: "move", type: "postgresql" }, { until, reason: "x", type: "y" }],
  ["/api/resumes", { type: "postgresql" }, { targets: ["one"] }],
  ["/api/targets/one/exposures", { by: "anna" }, { by: "ben" }],
  ["/api/targets/one/uses", { by: "a job" }, { by: "another job" }],
  ["/api/freezes", { ...planned, reason: "audit" }, { ...planned, reason: "another" }],
  ["/api/targets/one/rotations", {}, { cause: "exposure" }],
];

test.each(requests)(
  "POST %s takes effect once for each key, also when it is sent twice at the same time",
  async (path, body, other) => {
    const key = randomUUID();
    const [first, second] = await Promise.all([send(path, body, key), send(path, body, key)]);
    expect(first.status).toBeLessThan(300);
    expect(second).toEqual(first);
    expect(await send(path, body, key)).toEqual(first);
    expect(await send(path, other, key)).toMatchObject({
      status: 422,
      body: { type: "urn:problem-type:keyturn:idempotency-key-reused" },
    });
  },
);

test("A freeze that is set twice with one key is one freeze, and its end is repeatable", async () => {
  const before = await world.api.send("GET", "/api/freezes");
  const count = (JSON.parse(before.text) as { freezes: unknown[] }).freezes.length;
  const freeze = { ...planned, reason: "holidays" };
  const set = await Promise.all([1, 2, 3].map(() => send("/api/freezes", freeze, "holidays")));
  const ids = new Set(set.map(({ body }) => body["id"]));
  expect(ids.size).toBe(1);
  const [id = ""] = ids;
  const end = `/api/freezes/${String(id)}/end`;
  const ended = await send(end, { reason: "over" }, "end");
  expect(await send(end, { reason: "over" }, "end")).toEqual(ended);
  const after = await world.api.send("GET", "/api/freezes");
  expect((JSON.parse(after.text) as { freezes: unknown[] }).freezes).toHaveLength(count + 1);
});

test.each([
  ["empty", ""],
  ["too long", "x".repeat(201)],
  ["with a space", "a b"],
  ["not ASCII", "\u00e4"],
])("A key that is %s is refused with 400", async (_what, key) => {
  expect(await send("/api/targets/one/uses", {}, key)).toMatchObject({
    status: 400,
    body: { detail: "`Idempotency-Key` must be 1 to 200 visible ASCII characters." },
  });
});

test("Another function key may use the same text for another request", async () => {
  const { default: key } = await world.keys();
  const path = `${world.host().url}/api/targets/two/pause`;
  const headers = { "content-type": "application/json", "idempotency-key": "shared" };
  const body = JSON.stringify({ until, reason: "first" });
  const first = await fetch(path, {
    method: "POST",
    headers: { ...headers, "x-functions-key": key },
    body,
  });
  expect(first.status).toBe(200);
  const same = await fetch(`${path}?code=${encodeURIComponent(key)}`, {
    method: "POST",
    headers,
    body: JSON.stringify({ until, reason: "second" }),
  });
  expect(same.status).toBe(422);
});
