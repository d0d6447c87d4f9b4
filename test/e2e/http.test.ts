import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Explanation } from "../../shared/core/explanation/explanation.ts";
import { recordSchema } from "../../shared/core/record/record.ts";
import type { Answer } from "./world/api.ts";
import { setSchema } from "./world/journal-rows.ts";
import { countVersions, makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const names = ["one", "again", "strict"];
let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, Object.fromEntries(names.map((name) => [name, single(places, name)]))),
  });
  for (const name of names) await seed(world, name);
  await world.start();
});
afterAll(() => world.close());

interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

/** Every problem of the app has a detail that is a sentence. */
function problemIn({ status, headers, text }: Answer): Problem {
  expect(headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(text) as Problem;
  expect(problem.status).toBe(status);
  expect(problem.title).not.toBe("");
  expect(problem.detail).toMatch(/^[\w`-]+ .+\.$/);
  return problem;
}

const json = { "content-type": "application/json" };
const rotations = "/api/targets/strict/rotations";
/** A cursor as it is given for another target. */
const alien = Buffer.from('["rotations","one","01ARZ3NDEKTSV4RRFFQ69G5FAV"]').toString("base64url");

test("An explanation says in which state a target is, what happens next, and what to do", async () => {
  const answer = await world.api.send("GET", "/api/targets/strict/explanation");
  expect(answer.status).toBe(200);
  const { summary, ...rest } = JSON.parse(answer.text) as Explanation;
  expect(summary).toMatch(/^Target strict is new: Keyturn adopts it at .+\.$/);
  expect(rest).toMatchObject({ target: "strict", state: "new", next: [{ kind: "adopt" }] });
  const unknown = await world.api.send("GET", "/api/targets/nobody/explanation");
  expect(problemIn(unknown)).toMatchObject({ status: 404 });
});

describe("A rotation request", () => {
  test("is answered 202 with the location at which it can be followed to its end", async () => {
    const { api } = world;
    const answer = await api.send("POST", "/api/targets/one/rotations");
    expect(answer.status).toBe(202);
    const location = answer.headers.get("location") ?? "";
    expect(location).toMatch(/^\/api\/targets\/one\/rotations\/[0-9A-Z]{26}$/);
    expect(JSON.parse(answer.text)).toMatchObject({ target: "one", status: location });

    const run = await api.ended(location);
    expect(run).toMatchObject({ state: "done", cause: "operator", requestedBy: "function key" });
    expect(run.phases.map(({ phase }) => phase)).toEqual([
      ...["staging", "applying", "publishing"],
      ...["checking", "refreshing", "cleaning"],
    ]);
    expect(await api.rotations("one")).toEqual([run]);
    expect(await countVersions(world.secrets, "one")).toBe(2);
  });

  test("that is repeated with the same Idempotency-Key leads to the same rotation, even much later", async () => {
    const { api } = world;
    const twice = () => api.rotate("again", { idempotencyKey: "ticket-42" });
    const [first, second] = await Promise.all([twice(), twice()]);
    expect(second).toBe(first);
    await api.ended(first);
    expect(await twice()).toBe(first);
    const other = await api.rotate("again", { idempotencyKey: "ticket-43" });
    expect(other).not.toBe(first);
    await api.ended(other);
    expect(await api.rotations("again")).toHaveLength(2);
    expect(await countVersions(world.secrets, "again")).toBe(3);
  });

  test("accepts the exposure of a secret as the reason, which the history shows", async () => {
    const body = JSON.stringify({ cause: "exposure" });
    const answer = await world.api.send("POST", "/api/targets/one/rotations", {
      headers: json,
      body,
    });
    const run = await world.api.ended(answer.headers.get("location") ?? "");
    expect(run).toMatchObject({ state: "done", cause: "exposure" });
  });
});

describe("A bad request changes nothing and is answered", () => {
  const body = (text: string, headers: Record<string, string> = json): RequestInit => ({
    body: text,
    headers,
  });

  test.each<[string, number, string, string, RequestInit]>([
    ["404 for an unknown target", 404, "POST", "/api/targets/nobody/rotations", {}],
    ["404 when an unknown target is read", 404, "GET", "/api/targets/nobody", {}],
    ["404 for the history of an unknown target", 404, "GET", "/api/targets/nobody/rotations", {}],
    ["404 for an unknown rotation", 404, "GET", `${rotations}/01ARZ3NDEKTSV4RRFFQ69G5FAV`, {}],
    ["400 for an invalid target id", 400, "POST", "/api/targets/No_Body/rotations", {}],
    ["400 for a target id with a NUL in it", 400, "GET", "/api/targets/a%00b", {}],
    ["400 for an endless target id", 400, "GET", `/api/targets/${"a".repeat(300)}`, {}],
    ["400 for an invalid rotation id", 400, "GET", `${rotations}/'%20or%201`, {}],
    ["400 for a limit that is not a number", 400, "GET", `${rotations}?limit=many`, {}],
    ["400 for a limit beyond 100", 400, "GET", `${rotations}?limit=101`, {}],
    ["400 for an invented cursor", 400, "GET", `${rotations}?cursor=abc`, {}],
    ["400 for a cursor of another list", 400, "GET", `/api/alarms?cursor=${alien}`, {}],
    ["400 for a cursor of another target", 400, "GET", `${rotations}?cursor=${alien}`, {}],
    [
      "400 for a query parameter that is given twice",
      400,
      "GET",
      `${rotations}?limit=1&limit=2`,
      {},
    ],
    ["400 for a query parameter of POST", 400, "POST", `${rotations}?cause=exposure`, {}],
    ["400 for a query parameter of the health", 400, "GET", "/api/health?verbose=1", {}],
    [
      "400 for a field that is given twice",
      400,
      "POST",
      rotations,
      body('{"cause":"operator","cause":"exposure"}'),
    ],
    ["400 for an empty reason to lift a freeze", 400, "POST", rotations, body('{"liftFreeze":""}')],
    ["400 for a lift without a reason", 400, "POST", rotations, body('{"liftFreeze":true}')],
    ["400 for a grace of one account", 400, "POST", rotations, body('{"grace":"1h"}')],
    ["400 for a grace beyond any configuration", 400, "POST", rotations, body('{"grace":"3651d"}')],
    ["400 for malformed JSON", 400, "POST", rotations, body("{")],
    ["400 for a JSON array", 400, "POST", rotations, body("[]")],
    ["400 for JSON null", 400, "POST", rotations, body("null")],
    ["400 for unknown keys in the body", 400, "POST", rotations, body('{"force":true}')],
    ["400 for an unknown cause", 400, "POST", rotations, body('{"cause":"schedule"}')],
    ["400 for a grace that is not a duration", 400, "POST", rotations, body('{"grace":"soon"}')],
    ["400 for a grace that is not text", 400, "POST", rotations, body('{"grace":5}')],
    ["400 for a negative grace", 400, "POST", rotations, body('{"grace":"-5m"}')],
    [
      "415 for another content type",
      415,
      "POST",
      rotations,
      body("{}", { "content-type": "text/plain" }),
    ],
    ["415 for a form", 415, "POST", rotations, { body: new URLSearchParams("cause=operator") }],
    [
      "413 for an oversized body",
      413,
      "POST",
      rotations,
      body(JSON.stringify({ reason: "x".repeat(9_000) })),
    ],
    [
      "400 for an empty Idempotency-Key",
      400,
      "POST",
      rotations,
      { headers: { "idempotency-key": "" } },
    ],
    [
      "400 for spaces in the Idempotency-Key",
      400,
      "POST",
      rotations,
      { headers: { "idempotency-key": "a b" } },
    ],
    [
      "400 for an endless Idempotency-Key",
      400,
      "POST",
      rotations,
      { headers: { "idempotency-key": "k".repeat(201) } },
    ],
  ])("%s", async (_, status, method, path, init) => {
    const answer = await world.api.send(method, path, init);
    expect(answer.status).toBe(status);
    problemIn(answer);
  });

  test.each([
    [
      "GET",
      `${rotations}?limti=5`,
      {},
      "Unknown query parameter `limti`. Did you mean `limit`? Allowed: limit, cursor.",
    ],
    ["GET", "/api/targets/strict?x=1", {}, "Unknown query parameter `x`. Allowed: none."],
    [
      "POST",
      rotations,
      body('{"reson":"exposure"}'),
      "Unknown field `reson`. Did you mean `reason`? Allowed: cause, grace, notBefore, liftFreeze, force, reason, ticket.",
    ],
    [
      "POST",
      rotations,
      body('{"cause":"exposre"}'),
      "Unknown value of `cause`. Did you mean `exposure`? Allowed: operator, exposure.",
    ],
  ])("with the likely name or value: %s %s", async (method, path, init, detail) => {
    expect(problemIn(await world.api.send(method, path, init)).detail).toBe(detail);
  });

  test.each([
    ["DELETE", "/api/targets/strict/rotations"],
    ["PUT", "/api/targets/strict"],
    ["POST", "/api/health"],
  ])("404 by the host for a method that no function handles: %s %s", async (method, path) => {
    expect((await world.api.send(method, path)).status).toBe(404);
  });

  test("and none of them changes the target", async () => {
    expect(await world.api.rotations("strict")).toEqual([]);
    expect(await countVersions(world.secrets, "strict")).toBe(1);
  });
});

describe("Without the key", () => {
  test.each([
    ["POST", "/api/targets/one/rotations"],
    ["GET", "/api/targets/one/rotations"],
    ["GET", "/api/targets/one/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    ["GET", "/api/targets/one"],
    ["GET", "/api/targets"],
    ["GET", "/api/alarms"],
  ])("%s %s is answered 401 and nothing else", async (method, path) => {
    const key = (given?: string): RequestInit =>
      given === undefined ? {} : { headers: { "x-functions-key": given } };
    for (const init of [key(), key("wrong"), key("")]) {
      const response = await fetch(`${world.host().url}${path}`, { method, ...init });
      expect(response.status).toBe(401);
      expect(await response.text()).toBe("");
    }
  });

  test("the health check answers, and reveals only whether the app is up", async () => {
    const response = await fetch(`${world.host().url}/api/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "up" });
  });
});

test("The list of targets shows the state of each, and no secret", async () => {
  const { status, text } = await world.api.send("GET", "/api/targets");
  expect(status).toBe(200);
  const { targets } = JSON.parse(text) as { targets: { id: string }[] };
  expect(targets.map(({ id }) => id)).toEqual(names);
  expect(text.replaceAll("passwordEntropyBits", "")).not.toMatch(/password/i);
});

test("A target whose row a newer version wrote is shown and refused with the reason, and the others work on", async () => {
  const { api, storage } = world;
  await setSchema(storage, "again", recordSchema + 1);
  const why = `The journal's row of target again was written by a newer version of Keyturn (schema ${recordSchema + 1}; this instance knows ${recordSchema}). Finish the deployment.`;
  expect(await api.target("again")).toMatchObject({ health: "unreadable", unreadable: why });
  const posts: [string, object][] = [
    ["rotations", {}],
    ["exposures", { by: "anna" }],
    ["uses", {}],
  ];
  for (const [path, body] of posts) {
    const init = { headers: json, body: JSON.stringify(body) };
    const answer = await api.send("POST", `/api/targets/again/${path}`, init);
    expect([answer.status, problemIn(answer).detail]).toEqual([503, why]);
  }
  expect((await api.rotations("again")).length).toBeGreaterThan(0);
  expect((await api.send("GET", "/api/health")).status).toBe(200);
  const listed = JSON.parse((await api.send("GET", "/api/targets")).text) as { targets: object[] };
  expect(listed.targets).toMatchObject([
    { id: "one", health: "healthy" },
    { id: "again", health: "unreadable", unreadable: why },
    { id: "strict" },
  ]);
  await setSchema(storage, "again", recordSchema);
  expect((await api.target("again")).health).toBe("healthy");
});
