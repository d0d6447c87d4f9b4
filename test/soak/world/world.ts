import { appendFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startEventGridEmulator } from "../../../local/event-grid/emulator.ts";
import { type News, readNews } from "../news.ts";
import { type Api, apiAt } from "./api.ts";
import { type Database, startDatabase } from "./database.ts";
import { getHost, type SoakHost } from "./hosts.ts";
import { type Line, lineTo } from "./line.ts";
import { startStorage, type Storage } from "./storage.ts";
import { newPassword, store } from "./stored.ts";
import {
  adminSecret,
  makeConfiguration,
  publishedName,
  secondName,
  type SoakTarget,
  soakTargets,
  topicKeySecret,
} from "./targets.ts";
import { startVault, type Vault } from "./vault.ts";

/** Everything that the soak runs: servers, two hosts, and the lines between them. All on 127.0.0.1. */
export interface World {
  readonly targets: readonly SoakTarget[];
  readonly hosts: readonly [SoakHost, SoakHost];
  readonly database: Database;
  /** The line from the hosts to the database. */
  readonly databaseLine: Line;
  readonly storage: Storage;
  readonly vault: Vault;
  readonly api: Api;
  readonly news: News;
  /** Waits; rejects when the soak is stopped. */
  pause(ms: number): Promise<void>;
  /** Stops every process and removes every file. */
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly signal: AbortSignal;
  /** Where everything that the hosts write is kept. Default: nowhere. */
  readonly logFile?: string | undefined;
}

const everyOtherSecond = "*/2 * * * * *";

/** Starts everything. When a part fails, stops the parts that were started. */
export async function startSoakWorld({ signal, logFile }: WorldOptions): Promise<World> {
  const started: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of started.splice(0).reverse()) {
      await end().catch((error: unknown) => {
        console.error("The soak cannot stop one of its parts:", error);
      });
    }
  };
  const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    started.push(() => part.close());
    return part;
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "keyturn-soak-"));
    started.push(() => rm(folder, { recursive: true, force: true }));
    const database = keep(await startDatabase(folder));
    const databaseLine = keep(await lineTo(database.port));
    const storage = keep(await startStorage(folder));
    const vault = keep(await startVault());
    const topic = keep(await startEventGridEmulator({ keep: 1_000_000 }));
    await seed(database, vault, topic.key);

    const config = join(folder, "keyturn.yaml");
    const places = {
      vaultUrl: vault.doorUrl,
      topicEndpoint: topic.endpoint,
      databasePort: databaseLine.port,
    };
    await writeFile(config, JSON.stringify(makeConfiguration(places)));
    const keysFile = join(folder, "keys.json");
    const settings = toSettings(config, storage.connectionString, vault.identity);
    const heard = (text: string) => {
      if (logFile !== undefined) appendFileSync(logFile, text);
    };
    const hosts = [
      keep(getHost({ settings, keysFile, heard })),
      keep(getHost({ settings, keysFile, heard })),
    ] as const;
    // One after the other: the first one makes the keys that both use.
    for (const host of hosts) await host.start();
    const urls = () => hosts.map((host) => host.url()).filter((url) => url !== undefined);
    return {
      targets: soakTargets,
      ...{ hosts, database, databaseLine, storage, vault, close },
      api: apiAt(urls, keysFile),
      news: readNews(topic),
      pause: (ms) => wait(ms, undefined, { signal }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function toSettings(
  config: string,
  storage: string,
  identity: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    AzureWebJobsStorage: storage,
    KEYTURN_CONFIG: config,
    KEYTURN_QUEUE: "keyturn-work",
    KEYTURN_SWEEP_SCHEDULE: everyOtherSecond,
    AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:00.5",
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: "00:00:01",
    ...identity,
  };
}

/** Makes accounts with passwords, and the secrets that existed before Keyturn. */
async function seed(database: Database, vault: Vault, topicKey: string): Promise<void> {
  const { secrets } = vault;
  const { account, password } = database.admin;
  await store(secrets, adminSecret, { username: account, password });
  await secrets.setSecret(topicKeySecret, topicKey);
  for (const { id, accounts } of soakTargets) {
    const names = [publishedName(id), secondName(id)];
    for (const [index, username] of accounts.entries()) {
      const first = newPassword();
      await database.sql(
        `CREATE ROLE ${username} LOGIN`,
        `GRANT ${username} TO ${account} WITH ADMIN OPTION`,
      );
      await database.setPassword(username, first);
      await store(secrets, names[index] ?? "", { username, password: first });
    }
  }
}
