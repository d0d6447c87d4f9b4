import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunView } from "../../shared/core/views.ts";
import { journalRows } from "./world/journal-rows.ts";
import { leaksIn } from "./world/leaks.ts";
import { makeConfig, own, pair, published, seed, seedPair, single } from "./world/targets.ts";
import { newPassword, startWorld, type World } from "./world/world.ts";

const singles = ["one", "set", "never", "own", "stuck", "dated", "forbidden"];
const pairs = ["two", "busy"];
let world: World;

beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        one: single(places, "one"),
        set: single(places, "set"),
        never: single(places, "never"),
        dated: single(places, "dated"),
        own: own(places, "own"),
        stuck: own(places, "stuck"),
        forbidden: single(places, "forbidden", {
          overrides: { reason: "passwords are never used again", undo: false },
        }),
        two: pair(places, "two"),
        busy: pair(places, "busy"),
      }),
  });
  for (const name of singles) await seed(world, name);
  for (const name of pairs) await seedPair(world, name);
  await world.start();
  const locations = [...singles, ...pairs].map((name) => world.api.rotate(name));
  for (const location of await Promise.all(locations)) await world.api.ended(location);
});
afterAll(() => world.close());

/** Every value that a test imports. */
const imported: string[] = [];

function newValue(): string {
  const value = newPassword();
  imported.push(value);
  return value;
}

async function ask(path: string, body: object): Promise<RunView> {
  const { status, body: answer } = await world.api.post(`/api/targets/${path}`, body);
  expect({ status, answer }).toMatchObject({ status: 202 });
  return world.api.ended(String(answer["status"]));
}

const logsIn = async (name: string): Promise<boolean> => {
  const { username, password } = await published(world.secrets, name);
  return world.database.logsIn(username, password);
};

test("A vendor issued a new password: it is set, proven and published", async () => {
  for (const name of ["one", "own", "two"]) {
    const value = newValue();
    const ended = await ask(`${name}/import`, { value, reason: "the vendor issued it" });
    expect(ended).toMatchObject({ state: "done", cause: "import", reason: "the vendor issued it" });
    expect(ended.alreadySet).toBeUndefined();
    expect((await published(world.secrets, name)).password).toBe(value);
    expect(await logsIn(name)).toBe(true);
  }
});

test("An administrator has set the password already: it is published, and nothing is set", async () => {
  const value = newValue();
  await world.database.account("set", value);
  const ended = await ask("set/import", { value, apply: "never" });
  expect(ended).toMatchObject({ state: "done", alreadySet: true });
  expect((await published(world.secrets, "set")).password).toBe(value);
  expect(await logsIn("set")).toBe(true);
});

test("With apply: never, a password that the target refuses changes nothing", async () => {
  const before = await published(world.secrets, "never");
  const ended = await ask("never/import", { value: newValue(), apply: "never" });
  expect(ended).toMatchObject({ state: "failed", failure: { kind: "change-refused" } });
  expect(await published(world.secrets, "never")).toEqual(before);
  expect(await logsIn("never")).toBe(true);
});

test("The password of the published account of a pair is not changed", async () => {
  const before = await published(world.secrets, "busy");
  const ended = await ask("busy/import", { value: newValue(), account: before.username });
  expect(ended).toMatchObject({ state: "failed" });
  expect(await published(world.secrets, "busy")).toEqual(before);
  expect(await logsIn("busy")).toBe(true);
});

test("A password that clients encode differently is rejected before anything is stored", async () => {
  const { status, body } = await world.api.post("/api/targets/one/import", {
    value: "p\u00e4ssw\u00f6rd-\u2126-\ufb01",
  });
  expect({ status, type: body["type"] }).toEqual({
    status: 400,
    type: "urn:problem-type:keyturn:invalid-request",
  });
});

test("The same key and value lead to one rotation, and another value is rejected", async () => {
  const send = (value: string) =>
    world.api.send("POST", "/api/targets/one/import", {
      headers: { "content-type": "application/json", "idempotency-key": "ticket-7" },
      body: JSON.stringify({ value }),
    });
  const value = newValue();
  const first = await send(value);
  await world.api.ended(first.headers.get("location") ?? "");
  const again = await send(value);
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect((await send(newValue())).status).toBe(422);
});

test("An undo publishes the previous password again, and another one restores the present one", async () => {
  for (const name of ["one", "own", "two"]) {
    const before = await published(world.secrets, name);
    const ended = await ask(`${name}/undo`, { reason: "the wrong value" });
    expect(ended).toMatchObject({ state: "done", cause: "undo" });
    expect((await published(world.secrets, name)).password).not.toBe(before.password);
    expect(await logsIn(name)).toBe(true);
    await ask(`${name}/undo`, {});
    expect((await published(world.secrets, name)).password).toBe(before.password);
    expect(await logsIn(name)).toBe(true);
  }
});

test("An undo of an exposed password, or against the policy, is refused with the reason", async () => {
  const forbidden = await world.api.post("/api/targets/forbidden/undo", {});
  expect(forbidden).toMatchObject({
    status: 409,
    body: { type: "urn:problem-type:keyturn:not-possible" },
  });
  expect(forbidden.body["detail"]).toContain("forbids an undo");
  const { status } = await world.api.post("/api/targets/busy/exposures", { by: "ben" });
  expect(status).toBe(202);
  await world.api.ended(await world.api.rotate("busy"));
  const exposed = await world.api.post("/api/targets/busy/undo", {});
  expect(exposed.status).toBe(409);
  expect(exposed.body["detail"]).toContain("reported as exposed");
});

test("A blocked target continues with the version that a person proves to be correct", async () => {
  const lost = newPassword();
  await world.database.account("stuck", lost);
  const blocked = await world.api.ended(await world.api.rotate("stuck"));
  expect(blocked.state).toBe("blocked");
  const location = `/api/targets/stuck/rotations/${blocked.rotationId}`;
  const wrong = await world.api.post("/api/targets/stuck/unblock", { version: "0".repeat(32) });
  expect(wrong.status).toBe(409);
  await world.store("stuck-secret", JSON.stringify({ username: "stuck", password: lost }));
  const { version } = await published(world.secrets, "stuck");
  const unblocked = await world.api.post("/api/targets/stuck/unblock", { version });
  expect(unblocked).toMatchObject({ status: 200, body: { account: "stuck" } });
  expect((await world.api.ended(location)).state).toBe("done");
  expect(await logsIn("stuck")).toBe(true);
});

test("A rotation at a date waits for it, and the target and the plan show it", async () => {
  const notBefore = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const asked = await world.api.post("/api/targets/dated/rotations", { notBefore });
  expect(asked).toMatchObject({ status: 202, body: { queuedUntil: notBefore } });
  const view = await world.api.target("dated");
  expect(view.scheduled).toMatchObject([{ rotation: asked.body["rotation"], notBefore }]);
  const plan = await world.api.send("GET", "/api/plan?targets=dated");
  const { rotations } = JSON.parse(plan.text) as { rotations: { at: string; why: string }[] };
  expect(rotations[0]).toMatchObject({ at: notBefore });
});

test("A rotation at a date is cancelled once, and its stream of events ends with that", async () => {
  const notBefore = new Date(Date.now() + 40 * 86_400_000).toISOString();
  const asked = await world.api.post("/api/targets/dated/rotations", { notBefore });
  const rotation = String(asked.body["rotation"]);
  const path = `/api/targets/dated/rotations/${rotation}`;
  const events = world.api.send("GET", `${path}/events`);
  const cancelled = await world.api.post(`${path}/cancel`, { reason: "eva stays" });
  expect(cancelled).toMatchObject({
    status: 200,
    body: { target: "dated", rotation, notBefore, requestedBy: "function key" },
  });
  expect((await events).text).toMatch(/event: end\ndata: \{.*"state":"cancelled"/);
  expect(JSON.parse((await world.api.send("GET", path)).text)).toMatchObject({
    state: "cancelled",
    why: expect.stringContaining("cancelled by function key; reason: eva stays") as string,
  });
  const scheduled = (await world.api.target("dated")).scheduled ?? [];
  expect(scheduled.map((one) => one.rotation)).not.toContain(rotation);
  const again = await world.api.post(`${path}/cancel`, {});
  expect(again).toMatchObject({ status: 409, body: { title: "Not possible now" } });
  expect(again.body["detail"]).toMatch(/^Rotation \w+ was cancelled at .+ can be cancelled\.$/);
  const unknown = "/api/targets/dated/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel";
  expect((await world.api.post(unknown, {})).status).toBe(404);
  const { text } = await world.api.send("GET", "/api/audit?action=rotation.cancel");
  expect(JSON.parse(text)).toMatchObject({
    entries: [
      { outcome: "refused" },
      { outcome: "refused" },
      { outcome: "accepted", by: "function key", reason: "eva stays", rotations: [rotation] },
    ],
  });
});

test("No imported value is in an answer, a log or the journal", async () => {
  const rows = await journalRows(world.storage);
  const places = [
    { name: "the output", text: world.output.written },
    ...world.output.answers.map(({ text }, at) => ({ name: `answer ${at}`, text })),
    { name: "the journal", text: JSON.stringify(rows) },
    { name: "the events", text: JSON.stringify(world.topic.events()) },
  ];
  expect(imported.length).toBeGreaterThan(6);
  expect(leaksIn(places, imported)).toEqual([]);
});
