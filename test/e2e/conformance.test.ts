import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answered, checkAnswer, routes } from "../functions/requests/answer-checks.ts";
import {
  arbitraryRequest,
  type KnownValues,
  toHeaders,
  toPath,
} from "../functions/requests/arbitrary-request.ts";
import { makeConfig, pair, seed, seedPair, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const often = { every: "2d", afterExposure: "30d", afterIdle: "30d" };
let world: World;
let rotation: string;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const tags = { owner: "payments", team: "a,b" };
      const targets = {
        ones: single(places, "ones", { tags }),
        both: pair(places, "both", { policy: "often", tags }),
        late: single(places, "late", { policy: "often" }),
        more: single(places, "more", { tags: { owner: "search" } }),
      };
      const retry = { attempts: 5, every: "1s", thenEvery: "2s" };
      const policies = { default: { every: "90d", retry }, often: { ...often, retry } };
      return makeConfig(places, targets, { policies });
    },
  });
  for (const name of ["ones", "late", "more"]) await seed(world, name);
  await seedPair(world, "both");
  await world.start();
  for (const name of ["ones", "both"]) {
    const path = await world.api.rotate(name);
    rotation = (await world.api.ended(path)).rotationId;
  }
});
afterAll(() => world.close());

const json = { "content-type": "application/json" };
const yaml = { "content-type": "text/yaml" };

/** Sends a request, and holds its answer against the document. */
async function send(id: string, path: string, init: RequestInit = {}): Promise<Answered> {
  const route = routes.find(({ operation }) => operation.operationId === id);
  if (!route) throw new Error(`${id} is not in the document.`);
  const answer = await world.api.send(route.method, path, init);
  expect([path, checkAnswer(route, answer)]).toEqual([path, ""]);
  return answer;
}

const inMonths = new Date(Date.now() + 60 * 86_400_000).toISOString();

const post = (body: object): RequestInit => ({ headers: json, body: JSON.stringify(body) });

describe("An answer of the running app matches the document", () => {
  test.each<[string, number, string, RequestInit?]>([
    ["listTargets", 200, "/api/targets"],
    ["requestRotation", 202, "/api/targets/ones/rotations", post({ notBefore: inMonths })],
    ["importSecret", 400, "/api/targets/more/import", post({ value: "short" })],
    ["importSecret", 404, "/api/targets/no-such/import", post({ value: "issued-elsewhere" })],
    ["undo", 409, "/api/targets/late/undo", post({})],
    ["unblockTarget", 409, "/api/targets/more/unblock", post({})],
    ["listTargets", 200, "/api/targets?limit=1&owner=payments&dueBefore=2999-01-01"],
    ["listTargets", 400, "/api/targets?health=well"],
    ["getTarget", 200, "/api/targets/both"],
    ["getTarget", 200, "/api/targets/late"],
    ["getTarget", 404, "/api/targets/nobody"],
    ["getTarget", 400, "/api/targets/No_Body"],
    ["requestRotation", 202, "/api/targets/both/rotations", post({ grace: "1m" })],
    ["requestRotation", 404, "/api/targets/nobody/rotations", post({})],
    ["requestRotation", 400, "/api/targets/ones/rotations", post({ grace: "1m" })],
    ["requestRotation", 413, "/api/targets/ones/rotations", post({ reason: "x".repeat(9_000) })],
    ["requestRotation", 415, "/api/targets/ones/rotations", { body: "{}", headers: yaml }],
    ["listRotations", 200, "/api/targets/ones/rotations?limit=1"],
    ["listRotations", 404, "/api/targets/nobody/rotations"],
    ["getRotation", 404, "/api/targets/ones/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    ["cancelRotation", 404, "/api/targets/ones/rotations/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel"],
    ["cancelRotation", 400, "/api/targets/ones/rotations/7/cancel", post({})],
    ["reportExposure", 202, "/api/targets/both/exposures", post({ by: "anna", kind: "breach" })],
    ["reportExposure", 202, "/api/targets/ones/exposures", post({ by: "anna", from: "a log" })],
    ["reportExposure", 400, "/api/targets/ones/exposures", post({})],
    ["reportUse", 202, "/api/targets/both/uses", post({ by: "an application" })],
    ["reportUse", 202, "/api/targets/ones/uses"],
    ["listAudit", 200, "/api/audit?limit=1"],
    ["listAudit", 200, "/api/audit?format=jsonl"],
    ["listAudit", 400, "/api/audit?format=jsonl&target=ones"],
    ["getAuditHead", 200, "/api/audit/head"],
    ["getPlan", 400, "/api/plan?targets=nothing"],
    ["getPlan", 200, "/api/plan?targets=ones&per-server=1/1h"],
    ["getPlan", 200, "/api/plan?targets=ones&format=text"],
    ["getPlan", 200, "/api/plan?targets=ones&format=ics"],
    ["getPlan", 400, "/api/plan?to=tomorrow"],
    ["planEdit", 422, "/api/plan", { body: "version: 1\nmore: 1\n", headers: yaml }],
    ["planEdit", 415, "/api/plan", { body: "version: 1\n", headers: json }],
    ["listBreaches", 200, "/api/breaches"],
    ["listBreaches", 400, "/api/breaches?cursor=abc"],
    ["previewBreach", 201, "/api/breaches", post({ reason: "a test", tags: ["owner:search"] })],
    ["previewBreach", 400, "/api/breaches", post({ reason: "a test" })],
    ["previewBreach", 400, "/api/breaches", post({ reason: "a test", host: "nowhere" })],
    ["previewBreach", 415, "/api/breaches", { body: "{}", headers: yaml }],
    ["getBreach", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    ["listBreachTargets", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV/targets"],
    ["confirmBreach", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV/confirm", post({})],
    ["pauseBreach", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV/pause", post({})],
    ["resumeBreach", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV/resume", post({})],
    ["cancelBreach", 404, "/api/breaches/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel", post({})],
    ["listAlarms", 200, "/api/alarms"],
    ["listAlarms", 400, "/api/alarms?cursor=abc"],
    ["getHealth", 200, "/api/health"],
    ["getDocument", 200, "/api/openapi.json"],
  ])("%s, %i: %s", async (id, status, path, init) => {
    expect((await send(id, path, init)).status).toBe(status);
  });

  test("getRotation, 200, and each page of the history", async () => {
    await send("getRotation", `/api/targets/both/rotations/${rotation}`);
    let next: string | undefined = "/api/targets/both/rotations?limit=1";
    let pages = 0;
    for (; next !== undefined; pages++) {
      ({ next } = JSON.parse((await send("listRotations", next)).text) as { next?: string });
    }
    expect(pages).toBeGreaterThan(1);
  });

  test("planEdit, 200, for an edit of the configuration", async () => {
    const text = await readFile(join(world.folder, "keyturn.yaml"), "utf8");
    const edited = text.replace('"every":"90d"', '"every":"30d"');
    const query = "targets=ones";
    const { status } = await send("planEdit", `/api/plan?${query}`, {
      headers: yaml,
      body: edited,
    });
    expect(status).toBe(200);
  });

  test("without a key: 401 and no body", async () => {
    for (const { method, path, operation } of routes) {
      const address = path
        .replace("{target}", "ones")
        .replace("{rotation}", rotation)
        .replace("{breach}", rotation);
      const response = await fetch(`${world.host().url}${address}`, { method });
      const isOpen = operation.security?.length === 0;
      expect([path, response.status]).toEqual([path, isOpen ? 200 : 401]);
      expect(isOpen || (await response.text()) === "").toBe(true);
    }
  });
});

describe("The list of targets", () => {
  interface List {
    readonly targets: readonly { readonly id: string }[];
    readonly next?: string;
  }
  const list = async (path: string): Promise<List> =>
    JSON.parse((await send("listTargets", path)).text) as List;
  const idsOf = ({ targets }: List) => targets.map(({ id }) => id);

  test.each([
    ["policy=often", ["both", "late"]],
    ["owner=payments", ["ones", "both"]],
    ["tag=owner%3Asearch", ["more"]],
    ["tag=team%3Aa%2Cb", ["ones", "both"]],
    ["type=postgresql&vault=main", ["ones", "both", "late", "more"]],
    ["type=mongodb", []],
    ["health=new", ["late", "more"]],
    ["health=healthy&owner=payments", ["ones", "both"]],
    ["overdue=true", []],
    ["dueBefore=2999-01-01&owner=payments", ["ones", "both"]],
    ["dueBefore=2000-01-01", []],
  ])("can be filtered by %s", async (query, ids) => {
    expect(idsOf(await list(`/api/targets?${query}`))).toEqual(ids);
  });

  test("keeps its filters from page to page, and never repeats a key", async () => {
    const { default: key } = await world.keys();
    const first = `/api/targets?limit=1&owner=payments&code=${encodeURIComponent(key)}`;
    const response = await fetch(`${world.host().url}${first}`);
    const { next = "", ...page } = (await response.json()) as List;
    expect(idsOf(page)).toEqual(["ones"]);
    const query = new URL(next, world.host().url).searchParams;
    expect([...query.keys()].sort()).toEqual(["cursor", "limit", "owner"]);
    expect(next).not.toContain(key);
    const last = await list(next);
    expect([idsOf(last), last.next]).toEqual([["both"], undefined]);
  });

  test("is refused when a parameter is given more than once", async () => {
    const { status, text } = await send("listTargets", "/api/targets?limit=2&limit=3");
    expect([status, JSON.parse(text)]).toMatchObject([
      400,
      { detail: "Query parameter `limit` is given more than once. Give it once." },
    ]);
  });
});

test("Hundreds of random requests, valid and broken, are answered as the document says", async () => {
  const known: KnownValues = {
    target: ["ones", "both", "late"],
    rotation: [rotation],
    policy: ["often"],
    owner: ["payments"],
    tag: ["team:a,b"],
    targets: ["ones", "l*"],
    cursor: [Buffer.from('["targets","both"]').toString("base64url")],
    to: [new Date(Date.now() + 86_400_000).toISOString()],
  };
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(arbitraryRequest(known), async (sent) => {
      const { route, body } = sent;
      const init = { headers: toHeaders(sent), ...(body !== undefined && { body }) };
      const answer = await world.api.send(route.method, toPath(sent), init);
      expect([toPath(sent), checkAnswer(route, answer)]).toEqual([toPath(sent), ""]);
      statuses.add(answer.status);
    }),
    { numRuns: 400 },
  );
  expect([...statuses]).toEqual(expect.arrayContaining([200, 202, 400, 404, 415]));
});
