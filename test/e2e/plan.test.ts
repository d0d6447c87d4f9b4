import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeConfig, seed, single } from "./world/targets.ts";
import { startWorld, type World } from "./world/world.ts";

const names = ["seen", "left"];
const json = { "content-type": "application/json" };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) => {
      const targets = Object.fromEntries(names.map((name) => [name, single(places, name)]));
      const config: object = makeConfig(places, targets);
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

describe("An exposure report", () => {
  test("is answered 202 with the time and the reason of the resulting rotation", async () => {
    const before = Date.now();
    const { status, text } = await report({ by: "ben", from: "a build log" });
    expect(status).toBe(202);
    const answer = JSON.parse(text) as { nextDue: string; why: string };
    expect(answer).toMatchObject({ target: "seen", counted: true });
    expect(answer.why).toContain("policy watched: due 4h after the exposure at ");
    const wait = Date.parse(answer.nextDue) - before;
    // The clock of the storage service may be slightly behind ours.
    expect(wait).toBeGreaterThanOrEqual(4 * 3_600_000 - 2_000);
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

  test("by somebody who may see the secret is answered 202 with the note that it does not count", async () => {
    const { status, text } = await report({ by: "Auditor-7", kind: "breach" }, "left");
    expect(status).toBe(202);
    expect(JSON.parse(text)).toMatchObject({ counted: false });
  });

  test.each([
    [404, "nobody", { by: "ben" }, 'Target "nobody" does not exist.'],
    [
      400,
      "left",
      {},
      "`by` must contain the name of the person or system that saw the secret, in 1 to 200 characters.",
    ],
    [
      400,
      "left",
      { by: "a\nb" },
      "`by` must contain the name of the person or system that saw the secret, without control or invisible characters.",
    ],
    [400, "left", { by: "ben", at: "soon" }, '`at` must be a time such as "2026-12-20T18:00:00Z".'],
    [400, "left", { by: "ben", at: "2199-01-01T00:00:00Z" }, "`at` must not be in the future."],
    [
      400,
      "left",
      { by: "ben", kind: "leak" },
      "Unknown value of `kind`. Allowed: exposure, breach.",
    ],
    [
      400,
      "left",
      { by: "ben", version: "a/b" },
      "`version` must be the id of a version of the secret.",
    ],
    [
      400,
      "left",
      { by: "ben", password: "x" },
      "Unknown field `password`. Allowed: by, at, from, version, kind, reason, ticket.",
    ],
  ])("is answered %i for %s and %j", async (status, target, body, detail) => {
    const answer = await report(body, target);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ status, detail });
    expect(await world.api.target("left")).not.toHaveProperty("exposure");
  });
});

describe("The plan", () => {
  test("lists future rotations as JSON, as text and as a calendar", async () => {
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

  test("contains the selected targets, and names the limits for collisions", async () => {
    const path = "/api/plan?targets=s*&per-server=3/1m&per-vault=40/2s&format=text";
    const { status, text } = await world.api.send("GET", path);
    expect(status).toBe(200);
    expect(text).not.toContain("left");
    expect(text).toContain(
      "Limits: 3 rotations in 1m on a server, 40 new versions in 2s in a vault",
    );
    expect(text).toMatch(/\nPolicies:\n {2}watched: 1 target, passwords of \d+ bits of entropy\n/);
    expect(await world.api.target("seen")).toMatchObject({ passwordEntropyBits: 241 });
  });

  test.each([
    [
      "target=s*",
      "Unknown query parameter `target`. Did you mean `targets`? Allowed: from, to, targets, per-server, per-vault, format.",
    ],
    ["targets=sene", 'No target matches "sene" (did you mean "seen"?).'],
    [
      "targets=seen&targets=left",
      "Query parameter `targets` is given more than once. Give it once.",
    ],
    ["per-server=many", "`per-server` must be a number and a duration such as 10/10s."],
    ["per-vault=0/1s", "`per-vault` must be a number and a duration such as 10/10s."],
    ["format=pdf", "Unknown value of `format`. Allowed: text, json, ics."],
    [
      "from=tomorrow",
      '`from` must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".',
    ],
    [
      "from=2026-02-30",
      '`from` must be a date or time such as "2026-12-20" or "2026-12-20T18:00:00Z".',
    ],
    ["from=2026-01-02&to=2026-01-01", "`to` must be later than `from` (default: now)."],
    ["from=2026-01-01&to=2028-01-01", "`to` must be at most 366 days after `from`."],
  ])("is answered 400 for %s", async (query, detail) => {
    const answer = await world.api.send("GET", `/api/plan?${query}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, detail });
  });

  test.each([
    ["GET", "/api/plan"],
    ["POST", "/api/plan"],
    ["POST", "/api/targets/seen/exposures"],
  ])("requires the key, like %s %s", async (method, path) => {
    const response = await fetch(`${world.host().url}${path}`, { method });
    expect(response.status).toBe(401);
  });
});

describe("An edited configuration", () => {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const yaml = { "content-type": "text/yaml; charset=utf-8" };
  const written = async () => readFile(join(world.folder, "keyturn.yaml"), "utf8");
  const compare = (
    body: string | Uint8Array<ArrayBuffer>,
    query = "",
    headers: Record<string, string> = yaml,
  ) => world.api.send("POST", `/api/plan${query}`, { headers, body });

  test("is compared with the running one as text and as JSON, and does not take effect", async () => {
    const running = await written();
    const same = await compare(running, "?format=text");
    expect(same.status).toBe(200);
    expect(same.headers.get("content-type")).toContain("text/plain");
    expect(same.text).toMatch(/^2 unchanged\n/);
    const before = await world.api.target("left");
    const edited = running.replaceAll('"every":"90d"', '"every":"30d"');
    const { status, text } = await compare(edited, "?targets=left");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      summary: "1 target moves earlier, 0 unchanged",
      differences: [{ targetId: "left", kind: "earlier", before: before.nextDue }],
      warnings: [],
    });
    expect(await world.api.target("left")).toEqual(before);
  });

  test("is answered 422 with every problem and its position", async () => {
    const wrong = "version: 1\npolicies: { default: { every: 90 days } }\nthing: 1\n";
    const { status, text, headers } = await compare(wrong);
    expect(status).toBe(422);
    expect(headers.get("content-type")).toBe("application/problem+json");
    const { detail, problems } = JSON.parse(text) as { detail: string; problems: object[] };
    expect(detail).toMatch(/^The configuration has \d problems\.$/);
    expect(problems).toContainEqual(
      expect.objectContaining({ file: "keyturn.yaml", line: 2, path: "policies.default.every" }),
    );
    expect(problems).toContainEqual(expect.objectContaining({ line: 3, path: "thing" }));
  });

  test("reveals nothing about the files of the host", async () => {
    const running = await written();
    for (const file of ["/etc/passwd", "/no/such/file"]) {
      const probing = running.replaceAll(/"caFile":"[^"]*"/g, `"caFile":"${file}"`);
      expect(probing).toContain(file);
      const { status, text } = await compare(probing, "?format=text");
      expect({ status, text: text.split("\n")[0] }).toEqual({ status: 200, text: "2 unchanged" });
    }
  });

  test("with a rotation each minute does not block other work of the process", async () => {
    const running = await written();
    const often = running.replaceAll('"every":"90d"', '"cron":"* * * * *"');
    expect(often).not.toBe(running);
    let [answered, healthy] = [false, 0];
    const asked = compare(often, `?to=${inDays(300)}`).finally(() => (answered = true));
    while (!answered) {
      expect((await world.api.send("GET", "/api/health")).status).toBe(200);
      healthy++;
    }
    const { status, text } = await asked;
    expect(healthy).toBeGreaterThan(10);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      detail: expect.stringMatching(
        /^The period has too many rotations \(more than 200,000; limit 100,000\)\. .* Use an earlier `to`, or filter with `targets`\.$/,
      ) as string,
    });
    const fewer = await compare(often, `?format=text&targets=left&to=${inDays(1)}`);
    expect([fewer.status, fewer.text]).toEqual([
      200,
      expect.stringMatching(/^1 target moves earlier, .*\n14\d\d rotations instead of 0 from /),
    ]);
  });

  test.each([
    ["nests without end", `version: 1\nnotify: ${"[".repeat(100_000)}`, "is nested too deeply"],
    [
      "repeats itself",
      `version: 1\na: &a [${"x,".repeat(1_000)}]\nb: [${"*a,".repeat(9_000)}]\n`,
      "has too many aliases; write some of the values out",
    ],
    [
      "has thousands of windows",
      `version: 1\npolicies: { default: { every: 1d, between: [${'"01:00-02:00",'.repeat(9_000)}] } }\n`,
      "must have at most 100 entries",
    ],
  ])("that %s is answered 422 with a sentence", async (_, text, message) => {
    const answer = await compare(text);
    expect(answer.status).toBe(422);
    const { problems } = JSON.parse(answer.text) as { problems: { message: string }[] };
    expect(problems.map((one) => one.message)).toContain(message);
  });

  test("is answered 503 with Retry-After while others are being checked", async () => {
    const running = await written();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => compare(running, "?format=text")),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers.get("retry-after")).toBe("5");
  });

  test.each<[number, string, string | Uint8Array<ArrayBuffer>, Record<string, string>, string]>([
    [400, "?format=ics", "version: 1", yaml, "Unknown value of `format`. Allowed: text, json."],
    [415, "", "{}", json, "`Content-Type` must be text/yaml or application/yaml."],
    [413, "", "#".repeat(1_048_577), yaml, "The body is too large. The limit is 1048576 bytes."],
    [400, "", new Uint8Array([0xff, 0xfe]), yaml, "The body is not UTF-8 text."],
    [
      400,
      "?from=2026-01-02&to=2026-01-01",
      "version: 1",
      yaml,
      "`to` must be later than `from` (default: now).",
    ],
  ])("is answered %i for a wrong request: %s", async (status, query, body, type, detail) => {
    const answer = await compare(body, query, type);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ status, detail });
  });
});
