import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { patient } from "./world/api.ts";
import { type Echo, startEcho } from "./world/echo.ts";
import { journalRows } from "./world/journal-rows.ts";
import { leaksIn, type Place } from "./world/leaks.ts";
import { openQueues } from "./world/queues.ts";
import {
  makeConfig,
  own,
  pair,
  published,
  publishedName,
  seed,
  seedPair,
  single,
} from "./world/targets.ts";
import { asJson, everySecond, newPassword, startWorld, type World } from "./world/world.ts";

/** A secret in the URL of a webhook, as many services issue them. */
const inAddress = randomBytes(24).toString("base64url");
/** Secrets that people put in the wrong place. */
const misplaced = newPassword();

let echo: Echo;
let world: World;
let logStart: number;

beforeAll(async () => {
  echo = await startEcho();
  const hookAt = (path: string) => ({
    type: "webhook",
    url: `${echo.url}/${path}?code=${inAddress}`,
    key: { secret: "hook-key" },
  });
  world = await startWorld({
    sweep: everySecond,
    // NODE_DEBUG=http or net would make Node print the headers of every request.
    settings: { AZURE_LOG_LEVEL: "verbose", NODE_DEBUG: "tls,dns,timer" },
    config(places) {
      const shared = { consumers: ["app"] };
      const notifiers = { notify: Reflect.get(makeConfig(places, {}), "notify") as object[] };
      return makeConfig(
        places,
        {
          one: single(places, "one", shared),
          self: own(places, "self"),
          two: pair(places, "two", { grace: "0s", ...shared }),
          bare: single(places, "bare", {
            publish: { secret: publishedName("bare"), as: "password" },
          }),
          refused: single(places, "refused"),
          misled: single(places, "misled", { admin: { secret: "wrong-admin" } }),
          dead: single(places, "dead", { options: { ...places.postgresql, port: 1 } }),
          locked: own(places, "locked"),
        },
        {
          policies: {
            default: { every: "90d", retry: { attempts: 2, every: "1s", thenEvery: "2s" } },
          },
          consumers: { app: hookAt("refused") },
          notify: [...notifiers.notify, hookAt("told")],
        },
      );
    },
  });
  await seedAll();
  logStart = (await stat(world.database.logFile)).size;
  await world.start();
});
afterAll(async () => {
  await world.close();
  await echo.close();
});

async function seedAll(): Promise<void> {
  const { database } = world;
  for (const name of ["one", "self", "dead", "misled"]) await seed(world, name);
  await seedPair(world, "two");
  const bare = newPassword();
  await database.account("bare", bare);
  await world.store(publishedName("bare"), bare);
  // The administrator has no rights to this one.
  const password = newPassword();
  await database.sql(`CREATE ROLE refused LOGIN PASSWORD '${password}'`);
  await world.store(publishedName("refused"), asJson("refused", password));
  // The password of this account is unknown.
  await database.account("locked", newPassword());
  await world.store(publishedName("locked"), asJson("locked", newPassword()));
  await world.store("wrong-admin", asJson(database.admin.account, newPassword()));
  await world.store("hook-key", randomBytes(32).toString("base64"));
}

/** Everything that was ever secret, even if it no longer is. */
async function everySecret(): Promise<Set<string>> {
  const secrets = new Set([misplaced, inAddress, world.identity.header, ...world.tokens]);
  const log = await readFile(join(world.folder, "vault.jsonl"), "utf8");
  for (const line of log.trim().split("\n")) {
    for (const change of JSON.parse(line) as { kind: string; value?: string }[]) {
      if (change.value === undefined) continue;
      secrets.add(change.value);
      secrets.add(passwordIn(change.value));
    }
  }
  const { functions, ...others } = await world.keys();
  for (const key of [...Object.values(functions), ...Object.values(others)]) secrets.add(key);
  const [, storageKey = ""] = /AccountKey=([^;]+)/.exec(world.storage) ?? [];
  return secrets.add(storageKey);
}

function passwordIn(value: string): string {
  if (!value.startsWith("{")) return value;
  const { password } = JSON.parse(value) as { password: string };
  return password;
}

async function everyPlace(): Promise<Place[]> {
  const { api, database, lines, output, storage, topic, vault, vaultEvents } = world;
  for (const path of ["targets", "alarms", "audit?limit=100", "audit?format=jsonl"])
    await api.send("GET", `/api/${path}`);
  for (const { id } of await allTargets()) await api.rotations(id);
  const log = await readFile(database.logFile);
  const answers = output.answers.map(
    ({ headers, text }) => `${JSON.stringify([...headers])}${text}`,
  );
  return [
    { name: "what the app wrote", text: output.written },
    { name: "what PostgreSQL logged", text: log.subarray(logStart).toString("utf8") },
    { name: "the journal", text: JSON.stringify(await journalRows(storage)) },
    { name: "what was sent to the tables", text: lines.table.sent() },
    { name: "what was sent to the queues", text: lines.queue.sent() },
    { name: "the topic", text: JSON.stringify(topic.events()) },
    { name: "the vault's events", text: JSON.stringify(vaultEvents.events()) },
    { name: "the vault's record of requests", text: JSON.stringify(vault.journal) },
    { name: "the webhooks", text: echo.heard.join("\n") },
    { name: "what the API answered", text: answers.join("\n") },
  ];
}

async function allTargets(): Promise<{ id: string }[]> {
  const { text } = await world.api.send("GET", "/api/targets");
  return (JSON.parse(text) as { targets: { id: string }[] }).targets;
}

test(
  "Rotations that succeed, with a vault that loses replies and a connection that breaks",
  { timeout: 300_000 },
  async () => {
    const { api, lines, vault } = world;
    const names = ["one", "self", "two", "bare"];
    const all = async () => {
      const locations = await Promise.all(names.map((name) => api.rotate(name)));
      for (const location of locations) {
        expect(await api.ended(location)).toMatchObject({ state: "done" });
      }
    };
    await all();
    const match = { operation: "set-secret" } as const;
    vault.faults.add({ kind: "lost-reply-after-effect", match, times: 4 });
    vault.faults.add({ kind: "status", status: 500, match, times: 4 });
    vault.faults.add({ kind: "reset-before-effect", match: { name: /-secret$/ }, times: 8 });
    await all();
    lines.database.cut();
    const locations = await Promise.all(names.map((name) => api.rotate(name)));
    for (const name of names) {
      await api.until(name, ({ lastFailure }) => lastFailure?.kind === "target-unavailable");
    }
    lines.database.restore();
    for (const location of locations) await api.ended(location);
    await all();
  },
);

test("Rotations that fail: refused, misled, dead, and blocked", async () => {
  const { api } = world;
  echo.refuseAll();
  for (const name of ["refused", "misled"]) {
    await api.rotate(name);
    await api.until(name, ({ lastFailure }) => lastFailure !== undefined);
  }
  expect((await api.target("refused")).lastFailure?.kind).toBe("change-refused");
  for (const name of ["dead", "locked"]) {
    await api.until(name, ({ lastFailure }) => lastFailure !== undefined);
  }
  expect((await api.target("locked")).lastFailure?.kind).toBe("no-live-credential");
});

test("Secrets in places where they do not belong", async () => {
  const { api, secrets, storage } = world;
  const before = (await api.alarms()).length;
  // In a published version that matches no target, and in one with wrong content.
  await secrets.setSecret(publishedName("one"), misplaced);
  await secrets.setSecret(publishedName("self"), asJson("self", misplaced));
  for (const name of ["one", "self"]) await api.ended(await api.rotate(name));
  const { work, poison } = openQueues(storage);
  await work.sendMessage(`{"targetId":"one","password":"${misplaced}`);
  await work.sendMessage(JSON.stringify({ targetId: misplaced, because: misplaced }));
  await poison.sendMessage(`{"password":"${misplaced}"}`);
  const url = `${world.host().url}/runtime/webhooks/EventGrid?functionName=near-expiry`;
  await fetch(url, {
    method: "POST",
    headers: {
      "x-functions-key": (await world.keys()).eventgrid_extension,
      "aeg-event-type": "Notification",
    },
    body: JSON.stringify([{ data: { password: misplaced } }]),
  });
  const headers = { "content-type": "application/json" };
  for (const body of [`{"password":"${misplaced}"`, `{"cause":"${misplaced}"}`]) {
    const answer = await api.send("POST", "/api/targets/one/rotations", { headers, body });
    expect(answer.status).toBe(400);
  }
  await vi.waitFor(async () => {
    expect(await api.alarms()).toHaveLength(before + 4);
  }, patient);
});

test("leave no secret outside the vault", { timeout: 300_000 }, async () => {
  const places = await everyPlace();
  expect(await world.host().stop()).toBe(0);
  const secrets = await everySecret();
  // As many as there must be at least: four targets, seven rotations or so each, two spellings of each version.
  expect(secrets.size).toBeGreaterThan(40);
  console.log(
    `${secrets.size} secrets looked for in`,
    Object.fromEntries(places.map(({ name, text }) => [name, text.length])),
  );
  for (const { name, text } of places) expect(text.length, name).toBeGreaterThan(500);
  // The most detailed log level of the SDK and of the server was on.
  expect(world.output.written).toMatch(/^azure:.*:info/m);
  expect(places.find(({ name }) => name === "what PostgreSQL logged")?.text).toContain(
    "SCRAM-SHA-256$",
  );
  expect(leaksIn(places, secrets)).toEqual([]);
});

test("The search finds a secret in a single line of a log, in every encoding", async () => {
  const { password } = await published(world.secrets, "two");
  const log = world.output.written.slice(-100_000);
  const awkward = `p"\\ä &+/=%\n${password}`;
  for (const secret of [password, awkward]) {
    const bytes = Buffer.from(secret);
    const written = [
      secret,
      JSON.stringify({ message: secret }),
      JSON.stringify({ line: JSON.stringify({ message: secret }) }),
      `https://example.com/?p=${encodeURIComponent(secret)}`,
      new URLSearchParams({ p: secret }).toString(),
      bytes.toString("hex"),
      bytes.toString("base64"),
      bytes.toString("base64url"),
      Buffer.from(`two:${secret}`).toString("base64"),
      Buffer.from(JSON.stringify({ username: "two_a", password })).toString("base64"),
      bytes.toString("base64").replaceAll(/.{19}/g, "$&\\n"),
      Buffer.from(secret, "utf16le").toString("base64"),
      Buffer.from(`two:${secret}`, "utf16le").swap16().toString("base64"),
      secret.toUpperCase(),
      bytes.toString("base64").toLowerCase(),
      `${secret.slice(0, 9)}\n    ${secret.slice(9)}`,
      secret.slice(0, Math.ceil(secret.length / 2) + 2),
      secret.slice(-Math.ceil(secret.length / 2)),
    ];
    for (const text of written) {
      const planted = `${log}\n{"message":"${text}"}\n`;
      expect(leaksIn([{ name: "log", text: planted }], [secret, password]), text).toHaveLength(1);
    }
  }
});
