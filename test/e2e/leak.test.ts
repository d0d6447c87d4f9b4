import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { makeProgram } from "../../cli/program.ts";
import { patient } from "./world/api.ts";
import { beginAzureRotations } from "./world/azure-lives.ts";
import { type LeakWorld, startLeakWorld } from "./world/leak-world.ts";
import { leaksIn } from "./world/leaks.ts";
import { openQueues } from "./world/queues.ts";
import { published, publishedName } from "./world/targets.ts";
import { asJson, type World } from "./world/world.ts";

let leakWorld: LeakWorld;
let world: World;
let echo: LeakWorld["echo"];
let keyturn: LeakWorld["commandLine"]["keyturn"];
let azureRotations: () => Promise<void>;

beforeAll(async () => {
  leakWorld = await startLeakWorld();
  ({ world, echo } = leakWorld);
  ({ keyturn } = leakWorld.commandLine);
});
afterAll(() => leakWorld.close());

test("Rotations of keys and client secrets begin", async () => {
  azureRotations = await beginAzureRotations(leakWorld);
});

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

/** Everything that a person asks about a target while its password is imported. */
async function askAbout(target: string): Promise<void> {
  for (const verb of ["targets", "explain", "rotation", "history", "audit --json --target"])
    expect(await keyturn(`${verb} ${target}`)).toMatchObject({ status: 0 });
}

test(
  "Imports that wait, meet failures, succeed, fail and are undone",
  { timeout: 300_000 },
  async () => {
    const { api, lines, vault } = world;
    const typed = (line: string) => keyturn(line, {}, { input: `${leakWorld.newSecret()}\n` });
    for (const name of ["given", "turns"])
      await api.until(name, ({ health }) => health === "healthy");
    const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString();
    await keyturn(`pause given --until ${inTwoWeeks} --reason migration`);
    expect((await typed("import given")).status).toBe(0);
    await askAbout("given");
    lines.database.cut();
    await keyturn("resume given");
    await api.until("given", ({ lastFailure }) => lastFailure?.kind === "target-unavailable");
    await askAbout("given");
    lines.database.restore();
    expect((await keyturn("rotation given --follow --timeout 1m")).stdout).toContain("import");
    await askAbout("given");

    const match = { operation: "set-secret" } as const;
    vault.faults.add({ kind: "lost-reply-after-effect", match, times: 4 });
    vault.faults.add({ kind: "status", status: 500, match, times: 2 });
    expect((await typed("import turns --follow --timeout 1m")).status).toBe(0);
    expect((await keyturn("undo turns --follow --timeout 1m")).status).toBe(0);

    // Neither set nor published.
    expect((await typed("import given --never-apply --follow --timeout 1m")).status).toBe(1);
    const { username } = await published(world.secrets, "turns");
    expect((await typed(`import turns --account ${username} --follow --timeout 1m`)).status).toBe(
      1,
    );
    await askAbout("turns");
    // Its rotation is open.
    expect((await typed("import dead")).status).toBe(1);
  },
);

test("Imported values that are refused, from every input", async () => {
  const typed = async (line: string, status: number, more = "", prompt = false) => {
    const input = `${leakWorld.newSecret()}${more}\n`;
    const isTerminal = "data:text/javascript,process.stdin.isTTY=true";
    const nodeArguments = prompt ? ["--import", isTerminal] : [];
    const ended = await keyturn(line, {}, { input, nodeArguments });
    expect([line, ended]).toMatchObject([line, { status }]);
  };
  await typed("import nobody", 3);
  await typed("import one --account nobody", 2);
  await typed("import one", 2, "\u0007");
  await typed("import one", 2, "-\u2126-\ufb01");
  await typed("import one", 2, "x".repeat(26_000));
  await typed("import one", 130, "\u0003", true);
  await typed("import nobody", 3, "", true);
  await typed("import one --idempotency-key k1", 0);
  await typed("import one --idempotency-key k1", 2);
  await typed("import one --grace soon", 2);
  const value = leakWorld.newSecret();
  const file = join(world.folder, "issued.txt");
  await writeFile(file, `${value}\n${value}`);
  expect((await keyturn(`import one --file ${file}`)).status).toBe(2);
  // A person who takes it for an argument, as other programs do.
  for (const line of [`import one ${value}`, `import one --password=${value}`])
    expect((await keyturn(line)).status).toBe(2);
  const { key } = leakWorld.commandLine;
  expect((await keyturn(`targets --key-env ${key}`)).status).toBe(2);
  const headers = { "content-type": "application/json" };
  for (const body of [`{"value":"${value}"`, `{"value":["${value}"]}`, `{"values":"${value}"}`]) {
    const { status } = await world.api.send("POST", "/api/targets/one/import", { headers, body });
    expect(status).toBe(400);
  }
});

test("Every command", { timeout: 300_000 }, async () => {
  const { folder } = world;
  const { version } = await published(world.secrets, "locked");
  const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString();
  const ledger = join(folder, "ledger.jsonl");
  const freeze = await keyturn(`freeze --type postgresql --until ${inTwoWeeks} --reason audit`);
  const freezeId = /01\w{24}/.exec(freeze.stdout)?.[0] ?? "";
  const preview = await keyturn("breach one two --reason theft --preview --json");
  const breach = /01\w{24}/.exec(preview.stdout)?.[0] ?? "";
  for (const line of [
    ...["targets", "targets one", "explain locked", "rotation one", "history one --all", "alarms"],
    ...[
      `freezes ${freezeId}`,
      `end-freeze ${freezeId}`,
      "verify one",
      "dry-run one",
      "dry-run locked",
    ],
    ...[`unblock locked --version ${version}`, "unblock locked --try-again"],
    ...["expose two --by ben --kind breach", "undo two", "use one --by job", "rotate one"],
    `cancel two ${breach}`,
    ...[`pause one --until ${inTwoWeeks} --reason audit`, "resume one"],
    ...[`breaches ${breach}`, `confirm-breach ${breach} --lift-freezes --detach`],
    ...[`pause-breach ${breach}`, `resume-breach ${breach}`, `breach-report ${breach}`],
    ...[`cancel-breach ${breach}`, "breaches", "health", "openapi", "completion bash"],
    ...["audit --all", "audit head", `audit --export ${ledger}`, `audit verify ${ledger}`],
    ...[`check --config ${folder}/keyturn.yaml`, `plan --config ${folder}/keyturn.yaml`],
    `schema --config ${folder}/keyturn.yaml`,
  ]) {
    expect([line, (await keyturn(line)).status]).not.toEqual([line, 2]);
  }
  for (const line of ["targets", "history two", "breaches", "audit"])
    await keyturn(`${line} --json`);
  const { printed } = leakWorld.commandLine;
  expect(printed.find(({ name }) => name === `audit --export ${ledger}`)?.text).toContain("Wrote");
  expect(
    leaksIn(
      [{ name: "the export", text: await readFile(ledger, "utf8") }],
      await leakWorld.everySecret(),
    ),
  ).toEqual([]);
  const ran = new Set(printed.map(({ name }) => name.split(" ")[0]));
  const names = makeProgram().commands.map((one) => one.name());
  // These read no configuration and contact no app.
  expect(names.filter((name) => !ran.has(name))).toEqual(["new-rotator", "complete-words"]);
});

test("Secrets in places where they do not belong", async () => {
  const { api, secrets, storage } = world;
  const misplaced = leakWorld.newSecret();
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

test("The rotations of keys and client secrets end", async () => {
  await azureRotations();
  for (const name of ["storage", "openai", "bus", "app"])
    for (const verb of ["verify", "explain"])
      expect(await keyturn(`${verb} ${name}`)).toMatchObject({ status: 0 });
});

test("leave no secret outside the vault", { timeout: 300_000 }, async () => {
  const places = await leakWorld.everyPlace();
  expect(await world.host().stop()).toBe(0);
  const secrets = await leakWorld.everySecret();
  // As many as there must be at least: four targets, seven rotations or so each, two spellings of each version.
  expect(secrets.size).toBeGreaterThan(40);
  console.log(
    `${secrets.size} secrets looked for in`,
    Object.fromEntries(places.map(({ name, text }) => [name, text.length])),
  );
  for (const { name, text } of places) expect(text.length, name).toBeGreaterThan(500);
  const textOf = (wanted: string) => places.find(({ name }) => name === wanted)?.text;
  // The most detailed log level of the SDK and of the server was on.
  expect(world.output.written).toMatch(/^azure:.*:info/m);
  expect(textOf("what PostgreSQL logged")).toContain("SCRAM-SHA-256$");
  expect(textOf("the ledger")).toMatch(/rotation\.request.*import/);
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
