import { join, resolve } from "node:path";
import type { SecretClient } from "@azure/keyvault-secrets";
import { type Api, makeApi } from "./start/console/api.ts";
import { clock } from "./start/console/lines.ts";
import { type ConsumerProcess, type Counts, startConsumer } from "./start/demo/consumer-process.ts";
import { seedDatabases } from "./start/demo/seed-databases.ts";
import { seedMinted, seedSecrets } from "./start/demo/seed-secrets.ts";
import { databaseSeeds, makeConfiguration } from "./start/demo/seeds.ts";
import {
  describeOwn,
  describeSeeded,
  readTargets,
  selectWatched,
  type ShownTarget,
} from "./start/demo/targets.ts";
import { connectToVault } from "./start/demo/vault.ts";
import { type Closing, createClosing } from "./start/environment/closing.ts";
import { type DataFolder, takeDataFolder } from "./start/environment/data-folder.ts";
import {
  type FunctionsHost,
  type FunctionsHostOptions,
  type KeyturnEvent,
  startFunctionsHost,
} from "./start/environment/functions-host.ts";
import {
  choosePort,
  type EnvironmentFile,
  isFree,
  readAddresses,
  replaceFile,
  replaceJson,
} from "./start/environment/kept.ts";
import { type Services, startServices } from "./start/environment/services.ts";

export interface EnvironmentOptions {
  /** Folder for the data that outlives the environment. */
  readonly data: string;
  /** The port of the Functions app. Default: the port of the last run, or a free one. */
  readonly port?: number | undefined;
  /** A keyturn.yaml instead of the one for the seeded targets. */
  readonly config?: string | undefined;
  /** Maximum age of the seeded targets' secrets, at least `10s`. Default: 15 s for the pair, 35 s for the others. */
  readonly every?: string | undefined;
  readonly onEvent?: (event: KeyturnEvent) => void;
  /** Receives sentences about the environment itself, such as a restart of the host. */
  readonly onNote?: (note: string) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

export interface Environment {
  /** The current content of environment.json. */
  places(): EnvironmentFile;
  /** Path of environment.json. */
  readonly file: string;
  readonly vault: SecretClient;
  /** The configured targets. */
  readonly targets: readonly ShownTarget[];
  /** The targets that the consumer uses: their secrets are in the vault of this environment. */
  readonly watched: readonly ShownTarget[];
  /** The consumer's counts, by target. */
  counts(): Readonly<Record<string, Counts>>;
  /** Logs in to a target with a value of its published secret, in the consumer's process. */
  readonly logIn: ConsumerProcess["logIn"];
  /** Resolves with the reason when a part of the environment stops unexpectedly. */
  readonly failed: Promise<string>;
  /** Lets running functions end, then stops everything. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Milliseconds a claim lasts after its worker last renewed it. A killed worker cannot release its claims, so the next worker
 * waits until they expire. A test compares this number with the one in the app.
 */
export const claimLength = 120_000;

/** Starts Keyturn and everything that it needs, on loopback. Leaves nothing running when it fails. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(`Port ${options.port} is in use. Choose another one with --port.`);
  }
  const folder = await takeDataFolder(options.data);
  const closing = createClosing();
  closing.add(() => folder.release());
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
  const { signal, onNote } = options;
  const addressesFile = folder.at("addresses.json");
  const last = readAddresses(addressesFile);
  const services = await startServices(folder, closing, last);
  signal?.throwIfAborted();
  const vault = await seed(services);
  const config = writeConfiguration(folder, services, options);
  const { targets: outlined, warnings } = await readTargets(config);
  for (const warning of warnings) onNote?.(`warning: ${warning}`);
  const targets = outlined.map(options.config === undefined ? describeSeeded : describeOwn);
  const vaultUrl = services.vault.url;
  const consumer = startConsumer(
    folder,
    vaultUrl,
    { ...services.identity.env, ...services.trust },
    config,
  );
  closing.add(() => consumer.end());
  let isClosing = false;
  const file = folder.at("environment.json");
  const places = () => choosePlaces(folder, services, host, config);
  const host = await startHost(folder, services, config, {
    ...options,
    port: options.port ?? (await choosePort(last.ports.functions)),
    async onReplaced() {
      replaceJson(file, places());
      onNote?.(
        `The Functions host is running again.${await tellInterrupted(makeApi(places().functions))}`,
      );
    },
  });
  closing.add(() => host.close());
  await joinVaultEvents(services, host);
  replaceJson(addressesFile, { ...last, ports: choosePorts(services, host) });
  signal?.throwIfAborted();
  replaceJson(file, places());
  return {
    places,
    file,
    vault,
    targets,
    watched: selectWatched(targets, vaultUrl),
    counts: () => consumer.counts(),
    logIn: (target, value) => consumer.logIn(target, value),
    failed: firstFailure(services, host, consumer, () => isClosing),
    close() {
      isClosing = true;
      return closing.close();
    },
  };
}

async function seed(services: Services): Promise<SecretClient> {
  const { vault, identity, postgres, topic, azure, ca } = services;
  // Not `ManagedIdentityCredential`, which reads the identity's address from the environment of the whole process.
  const client = connectToVault(vault.url, {
    getToken() {
      const { token, expiresOn } = identity.issue("https://vault.azure.net");
      return Promise.resolve({ token, expiresOnTimestamp: expiresOn * 1000 });
    },
  });
  const { host, port } = postgres;
  const passwords = await seedSecrets(client, { host, port }, topic.key);
  await seedMinted(client, azure);
  await seedDatabases(postgres, ca, passwords).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The databases and accounts cannot be created in PostgreSQL: ${why}`);
  });
  return client;
}

function writeConfiguration(
  folder: DataFolder,
  { vault, topic, postgres, caFile, azure }: Services,
  { config, every }: EnvironmentOptions,
): string {
  if (config !== undefined) return resolve(config);
  const file = folder.at("keyturn.yaml");
  const topicEndpoint = topic.endpoint;
  const places = { vaultUrl: vault.url, topicEndpoint, postgres, caFile, every, azure };
  replaceFile(file, makeConfiguration(places));
  return file;
}

function startHost(
  folder: DataFolder,
  { azurite, identity, trust }: Services,
  config: string,
  options: EnvironmentOptions & Pick<FunctionsHostOptions, "port" | "onReplaced">,
): Promise<FunctionsHost> {
  return startFunctionsHost({
    folder,
    port: options.port,
    onReplaced: options.onReplaced,
    settings: {
      ...identity.env,
      ...trust,
      AzureWebJobsStorage: azurite.connectionString,
      KEYTURN_CONFIG: config,
      KEYTURN_QUEUE: "keyturn-work",
      KEYTURN_TABLE: "Keyturn",
      KEYTURN_SWEEP_SCHEDULE: "*/2 * * * * *",
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.200",
    },
    onEvent: (event) => options.onEvent?.(event),
    onKilled(how) {
      const end = clock(new Date(Date.now() + claimLength).toISOString());
      options.onNote?.(
        `The Functions host was killed (${how}) and is restarting. Interrupted rotations continue when its claims expire, at ${end} at the latest. Until then the published secrets do not change.`,
      );
    },
  });
}

/** Names the rotations that wait for the claims of a killed host. Says nothing when the app does not answer. */
async function tellInterrupted(api: Api): Promise<string> {
  const targets = await api.targets().catch(() => undefined);
  if (targets === undefined) return "";
  const waiting = targets.filter(({ rotation }) => rotation !== undefined).map(({ id }) => id);
  if (waiting.length === 0) return " No rotation was interrupted.";
  return ` Interrupted rotations: ${waiting.join(", ")}.`;
}

/** Delivers Key Vault's events to the app as on Azure: through the Event Grid webhook, after the handshake. */
async function joinVaultEvents({ vaultTopic }: Services, host: FunctionsHost): Promise<void> {
  const url = new URL("/runtime/webhooks/eventgrid", host.url);
  url.searchParams.set("functionName", "near-expiry");
  url.searchParams.set("code", host.keys.eventgrid_extension);
  await vaultTopic.subscribe({ name: "near-expiry", url: url.href, schema: "EventGridSchema" });
}

function choosePorts({ vault, topic, postgres, azure }: Services, host: FunctionsHost) {
  const portOf = ({ url }: { readonly url: string }) => Number(new URL(url).port);
  const { resourceManager, openAi, entra } = azure;
  return {
    vault: portOf(vault),
    topic: portOf(topic),
    postgres: postgres.port,
    functions: portOf(host),
    resourceManager: portOf({ url: resourceManager }),
    openAi: portOf(openAi),
    graph: portOf({ url: entra.graph }),
    logIn: portOf({ url: entra.logIn }),
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
    consumer.exited.then(({ errors }) => `The consumer stopped unexpectedly: ${errors}`),
  ]);
  // While the environment closes, every part stops, which is not a failure.
  return isExpected() ? new Promise<string>(() => undefined) : reason;
}

function choosePlaces(
  folder: DataFolder,
  { vault, identity, azurite, topic, postgres, caFile, azure }: Services,
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
    databases: databaseSeeds.map(({ id }) => ({ name: id, ...server })),
    azure: {
      caFile,
      resourceManager: azure.resourceManager,
      openAi: azure.openAi.url,
      ...{ graph: azure.entra.graph, logIn: azure.entra.logIn },
    },
    configuration,
    logs: { functions: join(folder.path, "functions.log"), postgresql },
    processes: folder.processes(),
  };
}
