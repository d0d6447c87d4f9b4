import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type LoopbackReply, serveOnLoopback } from "../../local/loopback.ts";
import { makeFolder } from "../config/written.ts";
import { runCommand, wordsOf } from "./run-command.ts";

const config = `version: 1
vaults: { main: { url: https://kv.vault.azure.net } }
policies: { default: { every: 30d, afterExposure: 4h } }
targets:
  orders: { type: postgresql, options: { host: db.example }, accounts: [a], admin: self, publish: a }
`;

const changedAt = "2025-12-15T12:00:00.000Z";
const freeze = {
  id: "01M8DN458WR7MW66ZTVCCEXGYW",
  by: "function key",
  reason: "audit",
  from: "2026-01-01T00:00:00.000Z",
  until: "2026-03-01T00:00:00.000Z",
  lift: [],
  selection: { policy: "default", tags: [] },
};

const plans: Readonly<Record<string, LoopbackReply>> = {
  text: { status: 200, headers: { "content-type": "text/plain" }, text: "1 rotation\u001b[2J\n" },
  json: { status: 200, json: { targets: 1, rotations: [] } },
  ics: {
    status: 200,
    headers: { "content-type": "text/calendar; charset=utf-8" },
    text: "BEGIN:VCALENDAR\r\n",
  },
};

/** An app that answers with fixed plans. */
async function startApp(state: "in force" | "ended" = "in force") {
  const requests: string[] = [];
  const facts = { adoptedAt: changedAt, changedAt };
  const lists: Readonly<Record<string, object>> = {
    "/api/targets": { targets: [{ id: "orders", health: "healthy", ...facts }] },
    "/api/freezes": { freezes: [{ ...freeze, state }] },
  };
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => (request) => {
      const { path, query, headers } = request;
      requests.push(`${path}?${query.toString()} ${String(headers["x-functions-key"])}`);
      const json = lists[path];
      if (json) return Promise.resolve({ status: 200, json });
      return Promise.resolve(plans[query.get("format") ?? ""] ?? { status: 404 });
    },
  });
  onTestFinished(() => server.close());
  const environment = { KEYTURN_KEY: "the-key", KEYTURN_APP: server.url };
  const keyturn = (line: string) => runCommand(wordsOf(line), { environment });
  return { url: server.url, requests, keyturn };
}

test("keyturn plan prints the plan of the app, in each format, with its filters", async () => {
  const { requests, keyturn } = await startApp();
  const text = await keyturn("plan --from 2026-01-01 --targets orders* --per-server 3/1m");
  expect(text).toEqual({ status: 0, stdout: "1 rotation\\u001b[2J\n", stderr: "" });
  const json = await keyturn("plan --json --to 2026-02-01 --per-vault 4/2s");
  expect(JSON.parse(json.stdout)).toEqual({ targets: 1, rotations: [] });
  const calendar = await keyturn("plan --ics");
  expect(calendar).toEqual({ status: 0, stdout: "BEGIN:VCALENDAR\r\n", stderr: "" });
  expect(requests.map(decodeURIComponent)).toEqual([
    "/api/plan?from=2026-01-01T00:00:00.000Z&targets=orders*&per-server=3/1m&format=text the-key",
    "/api/plan?to=2026-02-01T00:00:00.000Z&per-vault=4/2s&format=json the-key",
    "/api/plan?format=ics the-key",
  ]);
});

test("keyturn plan contacts the local app without any option", async () => {
  const { url, requests } = await startApp();
  const folder = await makeFolder({});
  await mkdir(join(folder, ".keyturn"));
  const local = JSON.stringify({ functions: { url, key: "local-key" } });
  await writeFile(join(folder, ".keyturn/environment.json"), local);
  expect(await runCommand(["plan"], { folder })).toMatchObject({ status: 0, stderr: "" });
  expect(requests).toEqual(["/api/plan?format=text local-key"]);
});

test("an answer that is not a plan is refused", async () => {
  const server = await serveOnLoopback({
    bodyLimit: 1_000,
    handler: () => () =>
      Promise.resolve({ status: 200, headers: { "content-type": "text/html" }, text: "<p>" }),
  });
  onTestFinished(() => server.close());
  const environment = { KEYTURN_KEY: "the-key" };
  for (const format of ["", " --json", " --ics"]) {
    const line = `plan --app ${server.url}${format}`;
    const { status, stdout, stderr } = await runCommand(wordsOf(line), { environment });
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toContain("answered with a web page");
  }
});

test("keyturn plan --config contacts no app, unless --app names it", async () => {
  const { url, requests, keyturn } = await startApp();
  const file = join(await makeFolder({ "keyturn.yaml": config }), "keyturn.yaml");
  const line = `plan --config ${file} --from 2026-01-01 --to 2026-04-01`;
  expect((await keyturn(line)).stdout).toContain(" rotations from 2026-01-01T");
  expect(requests).toEqual([]);
  const { status, stdout, stderr } = await keyturn(`${line} --app ${url}`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(requests).toEqual(["/api/targets? the-key", "/api/freezes? the-key"]);
  expect(stdout).toContain(`due 30d after ${changedAt}`);
  expect(stdout).toContain(`frozen until ${freeze.until} (audit, set by function key)`);
  expect(stdout).not.toMatch(/^\w{3} 2026-0[12]-/m);
});

test("a freeze that a person ended is no part of the plan", async () => {
  const { url, keyturn } = await startApp("ended");
  const file = join(await makeFolder({ "keyturn.yaml": config }), "keyturn.yaml");
  const { stdout } = await keyturn(`plan --config ${file} --from 2026-01-01 --app ${url}`);
  expect(stdout).toMatch(/^\w{3} 2026-01-14 /m);
  expect(stdout).not.toContain("frozen");
});

test("keyturn --version prints the version of package.json", async () => {
  const file = resolve(import.meta.dirname, "../../package.json");
  const { version } = JSON.parse(await readFile(file, "utf8")) as { version: string };
  expect(await runCommand(["--version"])).toEqual({
    status: 0,
    stdout: `${version}\n`,
    stderr: "",
  });
});

test.each(["unblock orders --version 7", "expose orders --by eve --version 7"])(
  "The option of the command is not that of the program: keyturn %s",
  async (line) => {
    const ended = await runCommand(line.split(" "));
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain("No app is chosen");
  },
);
