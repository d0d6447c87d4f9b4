import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretClient } from "@azure/keyvault-secrets";
import { startAzurite } from "../../local/azurite.ts";
import { startEventGridEmulator, type EventGridEmulator } from "../../local/event-grid/emulator.ts";
import { createTopic, type Topic } from "../../local/event-grid/topic.ts";
import { startIdentityEndpoint } from "../../local/identity/endpoint.ts";
import type { Keys } from "../../local/host/keys.ts";
import { vaultResourceId, type KeyVaultEvent } from "../../local/key-vault/announcements.ts";
import { startKeyVaultEmulator, type KeyVaultEmulator } from "../../local/key-vault/emulator.ts";
import { VAULT_RESOURCE } from "../../local/key-vault/gate.ts";
import { startPostgresqlTarget, type PostgresqlTarget } from "../contract/postgresql-target.ts";
import { movedTo, partOf } from "../stores/connection-strings.ts";
import { apiAt, type Answer, type Api } from "./api.ts";
import { startHostProcess, type HostProcess } from "./host-process.ts";
import { lineTo, type Line } from "./line.ts";

/** No date of the calendar that a test will meet: the timer never fires by itself. */
export const never = "0 0 0 29 2 *";
export const everySecond = "* * * * * *";

export const queueName = "keyturn-work";
export const tableName = "Keyturn";

/** Everything that the app needs, real where it can be, and the app itself in a process of its own. */
export interface World {
  readonly database: PostgresqlTarget;
  readonly vault: KeyVaultEmulator;
  /** The official client. */
  readonly secrets: SecretClient;
  /** The custom topic that the app tells. */
  readonly topic: EventGridEmulator;
  /** What Key Vault announces. */
  readonly vaultEvents: Topic;
  readonly api: Api;
  /** Of the storage account, past `lines`. */
  readonly storage: string;
  readonly lines: { readonly database: Line; readonly queue: Line; readonly table: Line };
  readonly folder: string;
  /** Whatever the app's processes wrote, and what its API answered. */
  readonly output: { written: string; readonly answers: Answer[] };
  /** Tokens that opened the vault. */
  readonly tokens: ReadonlySet<string>;
  /** With which the app asks for tokens. */
  readonly identityHeader: string;
  /** Writes a version that the vault dates so many days back. */
  store(name: string, value: string, ageInDays?: number): Promise<void>;
  start(more?: StartOptions): Promise<HostProcess>;
  /** The host that was started last. */
  host(): HostProcess;
  keys(): Promise<Keys>;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
}

/** What a configuration is written from. */
export interface Places {
  readonly postgresql: { readonly host: string; readonly port: number; readonly tls: object };
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
}

export interface WorldOptions {
  /** keyturn.yaml as an object: JSON is YAML. */
  readonly config: (places: Places) => object;
  readonly sweep?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

export const newPassword = () => `Aa1-${randomBytes(24).toString("base64url")}`;

const day = 86_400_000;

export async function startWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-e2e-"));
  const [database, azurite, identity, topic] = await Promise.all([
    startPostgresqlTarget(),
    startAzurite({ memory: true }),
    startIdentityEndpoint(),
    startEventGridEmulator({ keep: 100_000 }),
  ]);
  const vaultEvents = createTopic({
    source: vaultResourceId("keyturn-local"),
    inputSchema: "EventGridSchema",
    keep: 100_000,
    timeScale: 0.01,
  });
  const tokens = new Set<string>();
  let age = 0;
  const vault = await startKeyVaultEmulator({
    acceptsToken(token) {
      tokens.add(token);
      return identity.accepts(token, VAULT_RESOURCE);
    },
    file: join(folder, "vault.jsonl"),
    throttleScale: Infinity,
    now: () => new Date(Date.now() - age),
    onEvent: (event: KeyVaultEvent) => {
      vaultEvents.publish([event]);
    },
  });
  const secrets = await clientOf(vault.url, identity);
  const lines = await linesTo(database.port, azurite.connectionString);
  const configFile = join(folder, "keyturn.yaml");
  const postgresql = {
    host: database.host,
    port: lines.database.port,
    tls: { caFile: database.caFile },
  };
  const places = { postgresql, vaultUrl: vault.url, topicEndpoint: topic.endpoint };
  await writeFile(configFile, JSON.stringify(options.config(places)));

  const storage = azurite.connectionString;
  const throughLines = movedTo(
    movedTo(storage, "QueueEndpoint", `http://127.0.0.1:${lines.queue.port}`),
    "TableEndpoint",
    `http://127.0.0.1:${lines.table.port}`,
  );
  const settings = {
    AzureWebJobsStorage: throughLines,
    KEYTURN_CONFIG: configFile,
    KEYTURN_QUEUE: queueName,
    KEYTURN_SWEEP_SCHEDULE: options.sweep ?? never,
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.2",
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:00:01",
    ...identity.env,
    ...options.settings,
  };
  const keysFile = join(folder, "keys.json");
  const keys = async () => JSON.parse(await readFile(keysFile, "utf8")) as Keys;
  const output = { written: "", answers: [] as Answer[] };
  let host: HostProcess | undefined;
  const started = () => {
    if (host === undefined) throw new Error("The host was not started.");
    return host;
  };

  const store = async (name: string, value: string, ageInDays = 0) => {
    age = ageInDays * day;
    try {
      await secrets.setSecret(name, value);
    } finally {
      age = 0;
    }
  };
  await store("postgresql-admin", asJson(database.admin.account, database.admin.secret.reveal()));
  await store("topic-key", topic.key);

  return {
    database,
    vault,
    secrets,
    topic,
    vaultEvents,
    storage,
    lines,
    folder,
    output,
    tokens,
    identityHeader: identity.header,
    store,
    keys,
    host: started,
    api: apiAt(
      () => started().url,
      async () => (await keys()).default,
      (answer) => output.answers.push(answer),
    ),
    async start({ settings: more, nodeArguments = [] } = {}) {
      host = await startHostProcess({
        settings: { ...settings, ...more },
        keysFile,
        nodeArguments,
        heard: (text) => {
          output.written += text;
        },
      });
      return host;
    },
    async close() {
      await host?.kill();
      vaultEvents.close();
      await Promise.all([vault.close(), topic.close(), identity.close()]);
      await Promise.all(Object.values(lines).map((line) => line.close()));
      await Promise.all([azurite.close(), database.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const asJson = (username: string, password: string): string =>
  JSON.stringify({ username, password });

async function clientOf(
  vaultUrl: string,
  identity: { readonly url: string; readonly header: string },
): Promise<SecretClient> {
  const address = `${identity.url}?api-version=2019-08-01&resource=${VAULT_RESOURCE}`;
  const answer = await fetch(address, { headers: { "x-identity-header": identity.header } });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const credential = {
    getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + day }),
  };
  return new SecretClient(vaultUrl, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}

async function linesTo(postgresqlPort: number, connectionString: string) {
  const portOf = (name: string) => Number(new URL(partOf(connectionString, name)).port);
  const [database, queue, table] = await Promise.all([
    lineTo(postgresqlPort),
    lineTo(portOf("QueueEndpoint")),
    lineTo(portOf("TableEndpoint")),
  ]);
  return { database, queue, table };
}
