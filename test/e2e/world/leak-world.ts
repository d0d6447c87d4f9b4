import { randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type CommandLine, makeCommandLine } from "../command-line/run.ts";
import { type AzureDoubles, startAzureDoubles } from "./azure-doubles.ts";
import { type Echo, startEcho } from "./echo.ts";
import { journalRows } from "./journal-rows.ts";
import type { Place } from "./leaks.ts";
import { makeConfig, own, pair, publishedName, seed, seedPair, single } from "./targets.ts";
import { asJson, everySecond, newPassword, type Places, startWorld, type World } from "./world.ts";

/** A world with every log at its most detailed level, and with everything that it ever kept secret. */
export interface LeakWorld {
  readonly world: World;
  readonly echo: Echo;
  readonly azure: AzureDoubles;
  readonly commandLine: CommandLine;
  /** A new secret that somebody gives to the app, which may refuse it. */
  newSecret(): string;
  /** Everything that was ever secret, even if it no longer is. */
  everySecret(): Promise<Set<string>>;
  /** Everything that was written, sent, answered or printed outside of the vault. */
  everyPlace(): Promise<Place[]>;
  close(): Promise<void>;
}

export async function startLeakWorld(): Promise<LeakWorld> {
  const [echo, azure] = await Promise.all([startEcho(), startAzureDoubles()]);
  // As many services issue them, this webhook has a secret in its URL.
  const inAddress = randomBytes(24).toString("base64url");
  const hookAt = (path: string) => ({
    type: "webhook",
    url: `${echo.url}/${path}?code=${inAddress}`,
    key: { secret: "hook-key" },
  });
  const world = await startWorld({
    sweep: everySecond,
    // NODE_DEBUG=http or net would make Node print the headers of every request.
    settings: { AZURE_LOG_LEVEL: "verbose", NODE_DEBUG: "tls,dns,timer" },
    config: (places) => makeLeakConfig(places, azure, hookAt),
  });
  await seedAll(world);
  await azure.seed(world);
  const logStart = (await stat(world.database.logFile)).size;
  await world.start({ settings: await azure.trust(world.folder) });
  const commandLine = await makeCommandLine(world);
  const given: string[] = [];
  return {
    ...{ world, echo, azure, commandLine },
    newSecret() {
      const secret = newPassword();
      given.push(secret);
      return secret;
    },
    everySecret: () => everySecret(world, [...given, inAddress, ...azure.everySecret()]),
    everyPlace: () => everyPlace(world, { echo, commandLine, logStart }),
    async close() {
      await world.close();
      await Promise.all([echo.close(), azure.close()]);
    },
  };
}

function makeLeakConfig(
  places: Places,
  azure: AzureDoubles,
  hookAt: (path: string) => object,
): object {
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
      given: single(places, "given", shared),
      turns: pair(places, "turns"),
      refused: single(places, "refused"),
      misled: single(places, "misled", { admin: { secret: "wrong-admin" } }),
      dead: single(places, "dead", { options: { ...places.postgresql, port: 1 } }),
      locked: own(places, "locked"),
      ...azure.targets,
    },
    {
      policies: {
        default: { every: "90d", retry: { attempts: 2, every: "1s", thenEvery: "2s" } },
      },
      consumers: { app: hookAt("refused") },
      notify: [...notifiers.notify, hookAt("told")],
    },
  );
}

async function seedAll(world: World): Promise<void> {
  const { database } = world;
  for (const name of ["one", "self", "dead", "misled", "given"]) await seed(world, name);
  for (const name of ["two", "turns"]) await seedPair(world, name);
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

async function everySecret(world: World, more: readonly string[]): Promise<Set<string>> {
  const secrets = new Set([...more, world.identity.header, ...world.tokens]);
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

interface Listening extends Pick<LeakWorld, "echo" | "commandLine"> {
  /** Where the log of PostgreSQL begins that belongs to the app. */
  readonly logStart: number;
}

async function everyPlace(
  world: World,
  { echo, commandLine, logStart }: Listening,
): Promise<Place[]> {
  const { api, database, lines, output, storage, topic, vault, vaultEvents } = world;
  for (const path of ["targets", "alarms", "audit?limit=100", "audit?format=jsonl"])
    await api.send("GET", `/api/${path}`);
  for (const { id } of await listTargets(world)) await api.rotations(id);
  const log = await readFile(database.logFile);
  const answers = output.answers.map(
    ({ headers, text }) => `${JSON.stringify([...headers])}${text}`,
  );
  const printed = commandLine.printed.map(({ text }) => text);
  const rows = await journalRows(storage);
  return [
    { name: "what the app wrote", text: output.written },
    { name: "what PostgreSQL logged", text: log.subarray(logStart).toString("utf8") },
    { name: "the journal", text: JSON.stringify(rows) },
    { name: "the ledger", text: JSON.stringify(rows.filter(isOfLedger)) },
    { name: "what was sent to the tables", text: lines.table.sent() },
    { name: "what was sent to the queues", text: lines.queue.sent() },
    { name: "the topic", text: JSON.stringify(topic.events()) },
    { name: "the vault's events", text: JSON.stringify(vaultEvents.events()) },
    { name: "the vault's record of requests", text: JSON.stringify(vault.journal) },
    { name: "the webhooks", text: echo.heard.join("\n") },
    { name: "what the API answered", text: answers.join("\n") },
    { name: "what commands printed", text: printed.join("\n") },
  ];
}

const isOfLedger = ({ partitionKey = "", rowKey = "" }): boolean =>
  partitionKey === "ledger" || rowKey.startsWith("entry:");

async function listTargets({ api }: World): Promise<{ id: string }[]> {
  const { text } = await api.send("GET", "/api/targets");
  return (JSON.parse(text) as { targets: { id: string }[] }).targets;
}
