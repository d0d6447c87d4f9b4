import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Keys } from "../../../local/host/http/keys.ts";
import { type Answer, type Api, apiAt } from "./api.ts";
import { type HostProcess, startHostProcess } from "./host-process.ts";
import { type Services, startServices, throughLines } from "./services.ts";

/** A schedule that does not fire during a test. */
const never = "0 0 0 29 2 *";
export const everySecond = "* * * * * *";

export const queueName = "keyturn-work";
export const tableName = "Keyturn";

/** The services that the app needs, and the app in its own process. */
export interface World extends Services {
  readonly api: Api;
  /** The output of the app's processes, and the answers of its API. */
  readonly output: { written: string; readonly answers: Answer[] };
  start(more?: StartOptions): Promise<HostProcess>;
  /** The host that was started last. */
  host(): HostProcess;
  keys(): Promise<Keys>;
}

export interface StartOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** How far ahead the clock of the table service is for this host, in milliseconds. */
  readonly journalAheadMs?: number;
}

/** What a configuration is written from. */
export interface Places {
  readonly postgresql: { readonly host: string; readonly port: number; readonly tls: object };
  readonly vaultUrl: string;
  readonly topicEndpoint: string;
}

export interface WorldOptions {
  /** keyturn.yaml as an object: JSON is YAML. */
  readonly config: (places: Places) => object | Promise<object>;
  /** When the timer fires. Default: never. */
  readonly sweep?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

export const newPassword = () => `Aa1-${randomBytes(24).toString("base64url")}`;

export const asJson = (username: string, password: string): string =>
  JSON.stringify({ username, password });

/** The app is configured and not started. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const services = await startServices();
  const { database, topic, folder } = services;
  await services.store(
    "postgresql-admin",
    asJson(database.admin.account, database.admin.secret.reveal()),
  );
  await services.store("topic-key", topic.key);
  const settings = await toSettings(services, options);
  const keysFile = join(folder, "keys.json");
  const keys = async () => JSON.parse(await readFile(keysFile, "utf8")) as Keys;
  const output = { written: "", answers: [] as Answer[] };
  const heard = (text: string) => {
    output.written += text;
  };
  let current: HostProcess | undefined;
  const host = () => {
    if (current === undefined) throw new Error("The host was not started.");
    return current;
  };
  return {
    ...services,
    ...{ output, host, keys },
    api: apiAt(
      () => host().url,
      async () => (await keys()).default,
      (answer) => output.answers.push(answer),
    ),
    async start({ settings: more, nodeArguments = [], journalAheadMs = 0 } = {}) {
      services.lines.table.shiftDates(journalAheadMs);
      const given = { settings: { ...settings, ...more }, nodeArguments };
      current = await startHostProcess({ ...given, keysFile, heard });
      return current;
    },
    async close() {
      await current?.kill();
      await services.close();
    },
  };
}

async function toSettings(
  services: Services,
  { config, sweep = never, settings }: WorldOptions,
): Promise<Record<string, string>> {
  const { database, folder, identity, lines, topic, vault } = services;
  const file = join(folder, "keyturn.yaml");
  const tls = { caFile: database.caFile };
  const places = {
    postgresql: { host: database.host, port: lines.database.port, tls },
    vaultUrl: vault.url,
    topicEndpoint: topic.endpoint,
  };
  await writeFile(file, JSON.stringify(await config(places)));
  return {
    AzureWebJobsStorage: throughLines(services),
    KEYTURN_CONFIG: file,
    KEYTURN_QUEUE: queueName,
    KEYTURN_SWEEP_SCHEDULE: sweep,
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.2",
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:00:01",
    ...identity.env,
    ...settings,
  };
}
