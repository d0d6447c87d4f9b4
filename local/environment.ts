import { join, resolve } from "node:path";
import type { SecretClient } from "@azure/keyvault-secrets";
import { makeConfiguration } from "./start/app/demo-configuration.ts";
import type { KeyturnEvent } from "./start/app/read-event.ts";
import { makeApi } from "./start/console/api.ts";
import { listShownTargets, listWatched, type ShownTarget } from "./start/console/watched.ts";
import { type ConsumerProcess, type Counts, startConsumer } from "./start/demo/consumer-process.ts";
import { seedDatabases } from "./start/demo/seed-databases.ts";
import { seedSecrets } from "./start/demo/seed-secrets.ts";
import { seeds } from "./start/demo/seeds.ts";
import { makeEmulatorClient } from "./start/demo/vault-access.ts";
import { withoutStack } from "./start/environment/child.ts";
import { type Closing, createClosing } from "./start/environment/closing.ts";
import { type DataFolder, takeDataFolder } from "./start/environment/data-folder.ts";
import type { EnvironmentFile } from "./start/environment/environment-file.ts";
import {
  type FunctionsHost,
  type FunctionsHostOptions,
  startFunctionsHost,
} from "./start/environment/functions-host.ts";
import {
  isFree,
  keepAddresses,
  readAddresses,
  reusePort,
} from "./start/environment/kept-addresses.ts";
import { replaceFile, replaceJson } from "./start/environment/kept-file.ts";
import { findKilledHostNotes } from "./start/environment/killed-host.ts";
import { type Services, startServices } from "./start/environment/services.ts";

export interface EnvironmentOptions {
  /** Folder for the data that outlives the environment. */
  readonly data: string;
  /** The port of the Functions app. Default: the port of the last run, or a free one. */
  readonly port?: number | undefined;
  /** A keyturn.yaml instead of the one for the seeded targets. */
  readonly config?: string | undefined;
  /** Maximum age of the seeded targets' passwords, at least `10s`. Default: 15 s for the pair, 35 s for the others. */
  readonly every?: string | undefined;
  /** When the sweep runs, as NCRONTAB. Default: every two seconds. */
  readonly sweepEvery?: string | undefined;
  readonly onEvent?: (event: KeyturnEvent) => void;
  /** Receives sentences about the environment itself, such as a restart of the host. */
  readonly onNote?: (note: string) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal;
  /** Ends everything at once, without waiting. The next start resumes interrupted rotations. */
  readonly abandon?: AbortSignal;
}

export interface Environment {
  /** The current content of environment.json. */
  places(): EnvironmentFile;
  /** Path of environment.json. */
  readonly file: string;
  /** PEM of the authority that signed PostgreSQL's certificate. */
  readonly ca: string;
  readonly vault: SecretClient;
  /** The configured targets. */
  readonly targets: readonly ShownTarget[];
  /** The targets that the consumer uses: their secrets are in the vault of this environment. */
  readonly watched: readonly ShownTarget[];
  /** The consumer's counts, by target. */
  counts(): Readonly<Record<string, Counts>>;
  /** Resolves with the reason when a part of the environment stops unexpectedly. */
  readonly failed: Promise<string>;
  /** Restarts the host after its running functions have ended. */
  restartHost(): Promise<void>;
  /** Sends the signal to the Functions host; resolves when another one has taken its place. */
  killHost(signal?: NodeJS.Signals): Promise<void>;
  /** Lets running functions end, then stops everything. Safe to repeat. */
  close(): Promise<void>;
}

/** Starts Keyturn and everything that it needs, on loopback. Leaves nothing running when it fails. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { warnings } = await listShownTargets(options.config);
  for (const warning of warnings) options.onNote?.(`warning: ${warning}`);
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(`Port ${options.port} is in use. Choose another one with --port.`);
  }
  const folder = await takeDataFolder(options.data);
  const closing = createClosing();
  closing.add(() => folder.release());
  options.abandon?.addEventListener("abort", () => {
    folder.abandon();
  });
  try {
    return await startIn(folder, closing, options);
  } catch (error) {
    // Report the first error, not the errors of closing that follow from it.
    await closing.close().catch(() => undefined);
    throw error;
  }
}

async function startIn(
  folder: DataFolder,
  closing: Closing,
  options: EnvironmentOptions,
): Promise<Environment> {
  const { signal } = options;
  const addressesFile = folder.at("addresses.json");
  const last = await readAddresses(addressesFile);
  const services = await startServices(folder, closing, last);
  signal?.throwIfAborted();
  const vault = await seed(services);
  const config = await writeConfiguration(folder, services, options);
  const { targets } = await listShownTargets(options.config, services.caFile);
  const consumer = await startConsumer({
    folder,
    vaultUrl: services.vault.url,
    identity: services.identity.env,
    caFile: services.caFile,
    config: options.config === undefined ? undefined : config,
  });
  closing.add(() => consumer.close());
  let isClosing = false;
  // A host may be replaced before environment.json is written for the first time.
  let afterReplacement = (): Promise<void> => Promise.resolve();
  const notes = findKilledHostNotes((note) => options.onNote?.(note));
  const host = await startHost(folder, services, config, {
    ...options,
    port: options.port ?? (await reusePort(last.ports.functions)),
    onKilled: notes.onKilled,
    onReplaced: () => afterReplacement(),
  });
  closing.add(() => host.close());
  await joinVaultEvents(services, host);
  await keepAddresses(addressesFile, { ...last, ports: choosePorts(services, host) });
  signal?.throwIfAborted();

  const file = folder.at("environment.json");
  const places = () => choosePlaces(folder, services, host, config);
  let saved = Promise.resolve();
  const save = () => (saved = saved.catch(() => undefined).then(() => replaceJson(file, places())));
  await save();
  afterReplacement = async () => {
    await save();
    await notes.onRunning(makeApi(places().functions));
  };
  return {
    places,
    file,
    ca: services.ca,
    vault,
    targets,
    watched: listWatched(services.vault.url, targets),
    counts: () => consumer.counts(),
    failed: firstFailure(services, host, consumer, () => isClosing),
    restartHost: () => host.restart(),
    killHost: (killSignal = "SIGKILL") => host.kill(killSignal),
    close() {
      isClosing = true;
      return closing.close();
    },
  };
}

async function seed({ vault, identity, postgres, topic, ca }: Services): Promise<SecretClient> {
  const client = makeEmulatorClient(vault.url, identity);
  const { host, port } = postgres;
  const passwords = await seedSecrets(client, { host, port }, topic.key);
  await seedDatabases(postgres, ca, passwords).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The databases and accounts cannot be created in PostgreSQL: ${why}`);
  });
  return client;
}

async function writeConfiguration(
  folder: DataFolder,
  { vault, topic, postgres, caFile }: Services,
  { config, every }: EnvironmentOptions,
): Promise<string> {
  if (config !== undefined) return resolve(config);
  const file = folder.at("keyturn.yaml");
  const topicEndpoint = topic.endpoint;
  const places = { vaultUrl: vault.url, topicEndpoint, postgres, caFile, every };
  await replaceFile(file, makeConfiguration(places));
  return file;
}

function startHost(
  folder: DataFolder,
  { azurite, identity }: Services,
  config: string,
  options: EnvironmentOptions & Pick<FunctionsHostOptions, "port" | "onKilled" | "onReplaced">,
): Promise<FunctionsHost> {
  return startFunctionsHost({
    folder,
    port: options.port,
    onReplaced: options.onReplaced,
    settings: {
      ...identity.env,
      AzureWebJobsStorage: azurite.connectionString,
      KEYTURN_CONFIG: config,
      KEYTURN_QUEUE: "keyturn-work",
      KEYTURN_TABLE: "Keyturn",
      KEYTURN_SWEEP_SCHEDULE: options.sweepEvery ?? "*/2 * * * * *",
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.200",
    },
    onEvent: (event) => options.onEvent?.(event),
    onKilled: options.onKilled,
  });
}

/** Delivers Key Vault's events to the app as on Azure: through the Event Grid webhook, after the handshake. */
async function joinVaultEvents({ vaultTopic }: Services, host: FunctionsHost): Promise<void> {
  const url = new URL("/runtime/webhooks/eventgrid", host.url);
  url.searchParams.set("functionName", "near-expiry");
  url.searchParams.set("code", host.keys.eventgrid_extension);
  await vaultTopic.subscribe({ name: "near-expiry", url: url.href, schema: "EventGridSchema" });
}

function choosePorts({ vault, topic, postgres }: Services, host: FunctionsHost) {
  const portOf = ({ url }: { readonly url: string }) => Number(new URL(url).port);
  return {
    vault: portOf(vault),
    topic: portOf(topic),
    postgres: postgres.port,
    functions: portOf(host),
  };
}

async function firstFailure(
  { azurite, postgres }: Services,
  host: FunctionsHost,
  consumer: ConsumerProcess,
  isExpected: () => boolean,
): Promise<string> {
  const reason = await Promise.race([
    host.failed,
    azurite.exited.then(() => "Azurite stopped unexpectedly."),
    postgres.exited.then(() => `PostgreSQL stopped unexpectedly. See ${postgres.logFile}.`),
    consumer.exited.then(
      ({ errors }) => `The consumer stopped unexpectedly: ${withoutStack(errors)}`,
    ),
  ]);
  // While the environment closes, every part stops, which is not a failure.
  return isExpected() ? new Promise<string>(() => undefined) : reason;
}

function choosePlaces(
  folder: DataFolder,
  { vault, identity, azurite, topic, postgres, caFile }: Services,
  host: FunctionsHost,
  configuration: string,
): EnvironmentFile {
  const { port, adminUser, adminPassword, logFile: postgresql } = postgres;
  const server = { host: postgres.host, port, caFile, adminUser, adminPassword };
  return {
    functions: { url: host.url, key: host.keys.default },
    keyVault: { url: vault.url },
    identity: identity.env,
    storage: { connectionString: azurite.connectionString },
    events: { url: topic.url, endpoint: topic.endpoint, key: topic.key },
    databases: seeds.map(({ id }) => ({ name: id, ...server })),
    configuration,
    logs: { functions: join(folder.path, "functions.log"), postgresql },
    processes: folder.processes(),
  };
}
