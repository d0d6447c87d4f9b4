import { adminRefusals } from "./engine/admin-refusals.ts";
import { createHash, randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { monotonicFactory } from "ulid";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { ConfigProblemsError, formatProblem, type Problem } from "./config/problems.ts";
import { readSettings, type Settings } from "./config/settings.ts";
import type { Consumer } from "./consumers/consumer.ts";
import { webhookConsumer } from "./consumers/webhook.ts";
import { deadlines } from "./core/deadlines.ts";
import { ConfigError, LeaseLostError } from "./core/errors.ts";
import type { EventReader } from "./core/events.ts";
import type { Secret } from "./core/secret.ts";
import { defaultCreates } from "./core/pace.ts";
import type { SecretName, Target } from "./core/target.ts";
import { sweepDistance } from "./core/sweeps.ts";
import type { Instant } from "./core/time.ts";
import { CheckTooCostlyError, checkInThread } from "./edited-config.ts";
import { type Operations, operations } from "./engine/operations.ts";
import type { Edited } from "./engine/plan.ts";
import type { Ports } from "./engine/ports.ts";
import { KeyReusedError } from "./engine/request.ts";
import { eventGridNotifier } from "./notifiers/event-grid.ts";
import type { Notifier } from "./notifiers/notifier.ts";
import { webhookNotifier } from "./notifiers/webhook.ts";
import { type Outline, outlineOf } from "./outline.ts";
import { type PlanAnswer, planFiles, type PlanQuestion } from "./planning.ts";
import { rotatorsWith } from "./rotators/registry.ts";
import { JournalUnavailableError, UnreadableRowError } from "./stores/journal.ts";
import { paceIn } from "./stores/shared-pace.ts";
import { QueueUnavailableError } from "./stores/queue.ts";
import { storageQueue } from "./stores/storage-queue.ts";
import type { StorageConnection } from "./stores/storage-access.ts";
import { tableJournal } from "./stores/table-journal.ts";
import { tablePace } from "./stores/table-pace.ts";
import { keyVault } from "./vaults/key-vault.ts";
import type { Vault } from "./vaults/vault.ts";

export type { EventType } from "./core/events.ts";
export type { Operations } from "./engine/operations.ts";
export type { Seen } from "./engine/expose.ts";
export type { PlanWanted } from "./engine/plan.ts";
export type { OutlinedTarget } from "./outline.ts";
export type { PlanQuestion } from "./planning.ts";
export type { Wanted } from "./engine/request.ts";
export type { Used } from "./engine/use.ts";
export { printable, printableLines } from "./core/printable.ts";
export { parseLimit as limitOf } from "./core/simulation/limits.ts";
export { planFormats } from "./core/simulation/render.ts";
export { isTargetId, longestGrace } from "./core/target.ts";
export {
  formatDuration,
  parseDuration as durationOf,
  parseInstant as instantOf,
} from "./core/time.ts";
export { nearest as nearestName } from "./core/nearest.ts";
export { parseWorkMessage } from "./stores/work-message.ts";

/** Whether what was asked for cannot be had, as the message says. */
export function isOurInput(error: unknown): error is ConfigError {
  return error instanceof ConfigError;
}

/** Whether an idempotency key came again for something else. */
export function isKeyReused(error: unknown): error is KeyReusedError {
  return error instanceof KeyReusedError;
}

/** Whether the same may be tried again later: a store could not be asked. */
export function isUnavailable(error: unknown): error is Error {
  return error instanceof JournalUnavailableError || error instanceof QueueUnavailableError;
}

/** Whether the same may be tried again at once: others wrote the target again and again, and nothing was recorded. */
export function isBusy(error: unknown): error is LeaseLostError {
  return error instanceof LeaseLostError;
}

/** Why this instance cannot read the target's row in the journal, although the journal can be asked; else undefined. */
export function unreadableRow(error: unknown): string | undefined {
  return error instanceof UnreadableRowError ? error.message : undefined;
}

/** What is wrong with what a person wrote, in words for that person; undefined when something else is wrong. */
export function explained(error: unknown): string | undefined {
  const isExplained = error instanceof ConfigProblemsError || error instanceof ConfigError;
  return isExplained ? error.message : undefined;
}

/** Every problem of a configuration that was refused; undefined when something else is wrong. */
export function configProblems(error: unknown): readonly Problem[] | undefined {
  return error instanceof ConfigProblemsError ? error.problems : undefined;
}

/** What triggers and tools can ask of Keyturn. */
export interface App {
  /** Each call tells what happens to a reader of its own. */
  with(read: EventReader): Operations;
  /** What the configuration check found worth a second look. */
  readonly warnings: readonly string[];
}

let made: Promise<App> | undefined;

/** The one app of this process, made when it is first asked for. Rejects with every problem of the configuration. */
export function theApp(): Promise<App> {
  return (made ??= createApp(process.env, process.cwd()));
}

/** `root` is the folder that a relative path in the settings starts from. */
async function createApp(
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): Promise<App> {
  const settings = readSettings(environment);
  const credential = azureCredential(environment, settings.clientId);
  const rotators = rotatorsWith(credential);
  const config = await loadConfig(resolve(root, settings.configPath), { rotators });
  const vault = openVaults(config, credential);
  const secretOf = (name: SecretName) => readSecret(vault(name.vault), name);
  const { journal, queue, pace } = openStores(settings, environment, config);
  const consumers = openConsumers(config, secretOf);
  const ports: Omit<Ports, "emit"> = {
    journal,
    vault,
    rotator: (type) =>
      must(
        rotators.find((rotator) => rotator.type === type),
        `rotator ${type}`,
      ),
    consumer: (name) => must(consumers.get(name), `consumer ${name}`),
    notifiers: openNotifiers(config, credential, secretOf),
    targetsUsing: (admin) => config.targets.filter((target) => isAdminOf(target, admin)),
    sweepEvery: sweepDistance(environment["KEYTURN_SWEEP_SCHEDULE"]),
    adminRefusals: adminRefusals(),
    pace,
    newId: monotonicFactory(),
    randomBytes,
    pause: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
  };
  const hosts = new Map(
    Object.entries(config.vaults).map(([name, { url }]) => [new URL(url).host.toLowerCase(), name]),
  );
  return {
    with: operations({ ports, queue, targets: config.targets, vaultAt: (host) => hosts.get(host) }),
    warnings: config.warnings.map(formatProblem),
  };
}

/** Makes a plan of configuration files; needs neither settings nor Azure. Relative paths start from `root`. */
export function planConfig(
  question: PlanQuestion,
  root: string,
  now: Instant = new Date().toISOString(),
): Promise<PlanAnswer> {
  const rotators = rotatorsThatAskNobody();
  return planFiles(question, {
    now,
    load: (path) => loadConfig(resolve(root, path), { rotators, now }),
    serverOf: ({ type, options }) =>
      must(
        rotators.find((rotator) => rotator.type === type),
        `rotator ${type}`,
      ).endpoint(options).host,
  });
}

/**
 * Checks a configuration, a file or a folder, as the start of the app does, and says what it contains. Needs neither settings
 * nor Azure. Relative paths start from `root`. Rejects with every problem; see `configProblems`.
 */
export async function checkConfig(path: string, root: string): Promise<Outline> {
  const rotators = rotatorsThatAskNobody();
  return outlineOf(await loadConfig(resolve(root, path), { rotators }), rotators);
}

/**
 * Reads the text of a configuration for a comparison, in a thread with limits of its own. Rejects with every problem it
 * has, or when its check takes too much time or memory; see `configProblems` and `isTooCostly`.
 */
export const editedConfig: (text: string) => Promise<Edited> = checkInThread;

/** Whether the check of a configuration was stopped because it took too much time or memory. */
export function isTooCostly(error: unknown): error is Error {
  return error instanceof CheckTooCostlyError;
}

function rotatorsThatAskNobody() {
  return rotatorsWith({
    getToken: () => Promise.reject(new ConfigError("a plan asks nobody")),
  });
}

/** A managed identity wherever the platform offers one; on a developer's machine whatever is signed in there. */
function azureCredential(
  environment: Readonly<Record<string, string | undefined>>,
  clientId: string | undefined,
): TokenCredential {
  if (environment["IDENTITY_ENDPOINT"] === undefined) return new DefaultAzureCredential();
  return clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId });
}

function openVaults(config: Config, credential: TokenCredential): (name: string) => Vault {
  const vaults = new Map(
    Object.entries(config.vaults).map(([name, { url }]) => [
      name,
      keyVault({ name, url, credential }),
    ]),
  );
  return (name) => must(vaults.get(name), `vault ${name}`);
}

function openStores(
  { storage, table, queue }: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  { retention, vaults }: Config,
) {
  const [tables, queues] = connectionsOf(storage, environment);
  const journal = tableJournal(
    tables,
    table,
    retention === undefined ? {} : { retentionMs: retention },
  );
  const creates = (vault: string) => vaults[vault]?.createsPer10s ?? defaultCreates;
  return {
    journal,
    queue: storageQueue(queues, queue),
    pace: paceIn(tablePace(tables, table), creates, () => journal.now()),
  };
}

/** To the tables and to the queues. */
function connectionsOf(
  storage: Settings["storage"],
  environment: Readonly<Record<string, string | undefined>>,
): readonly [StorageConnection, StorageConnection] {
  if (storage.as === "connection-string") {
    const connection = { connectionString: storage.connectionString.reveal() };
    return [connection, connection];
  }
  const credential = azureCredential(environment, storage.clientId);
  return [
    { endpoint: storage.tableUrl, credential },
    { endpoint: storage.queueUrl, credential },
  ];
}

function openConsumers(
  config: Config,
  secretOf: (name: SecretName) => Promise<Secret>,
): ReadonlyMap<string, Consumer> {
  return new Map(
    Object.entries(config.consumers).map(([name, { url, key }]) => {
      const open = freshly(async () => webhookConsumer({ name, url, key: await secretOf(key) }));
      const refresh: Consumer["refresh"] = (told, signal) =>
        open((consumer) => consumer.refresh(told, signal));
      return [name, { name, refresh }];
    }),
  );
}

function openNotifiers(
  config: Config,
  credential: TokenCredential,
  secretOf: (name: SecretName) => Promise<Secret>,
): Notifier[] {
  return config.notifiers.map((notifier) => {
    const open = freshly(async (): Promise<Notifier> => {
      const key = notifier.key && (await secretOf(notifier.key));
      if (notifier.type === "webhook") {
        return webhookNotifier({ url: notifier.url, key: must(key, "the key of a webhook") });
      }
      const endpoint = notifier.endpoint;
      return eventGridNotifier({ endpoint, credential: key ? { key } : credential });
    });
    const address = notifier.type === "webhook" ? notifier.url : notifier.endpoint;
    // Two on one host are two; the address itself may hold a key.
    const mark = createHash("sha256").update(address).digest("hex").slice(0, 6);
    return {
      name: `${notifier.type} ${new URL(address).host} ${mark}`,
      send: (notifications, signal) => open((made) => made.send(notifications, signal)),
    };
  });
}

/** Makes the thing when it is first used, and anew after a failure: its key may have been changed. */
function freshly<Thing>(make: () => Promise<Thing>) {
  let thing: Promise<Thing> | undefined;
  return async <Result>(use: (thing: Thing) => Promise<Result>): Promise<Result> => {
    try {
      return await use(await (thing ??= make()));
    } catch (error) {
      thing = undefined;
      throw error;
    }
  };
}

async function readSecret(vault: Vault, { name }: SecretName): Promise<Secret> {
  const stored = await vault.readCurrent(name, AbortSignal.timeout(deadlines.vault));
  if (typeof stored === "string") throw new ConfigError(`the secret ${name} is ${stored}`);
  return stored.value;
}

function isAdminOf({ authority }: Target, { vault, name }: SecretName): boolean {
  return (
    authority.as === "admin" &&
    authority.secret.vault === vault &&
    authority.secret.name.toLowerCase() === name.toLowerCase()
  );
}

function must<Thing>(thing: Thing | undefined, what: string): Thing {
  if (thing === undefined) throw new ConfigError(`there is no ${what}`);
  return thing;
}
