import { mkdir, writeFile } from "node:fs/promises";
import { type Azurite, startAzurite } from "../../azurite.ts";
import { makeCertificate } from "../../certificate.ts";
import { type EventGridEmulator, startEventGridEmulator } from "../../event-grid/emulator.ts";
import { createTopic, type Topic } from "../../event-grid/topic.ts";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../identity/endpoint.ts";
import { toVaultResourceId } from "../../key-vault/announcements.ts";
import { type KeyVaultEmulator, startKeyVaultEmulator } from "../../key-vault/emulator.ts";
import { type Postgres, startPostgres } from "../../postgres.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Addresses, choosePort, isFree } from "./kept.ts";

/** The services that the app and its targets need. */
export interface Services {
  readonly azurite: Azurite;
  readonly postgres: Postgres;
  readonly identity: IdentityEndpoint;
  readonly vault: KeyVaultEmulator;
  /** The custom topic that the app publishes its events to. */
  readonly topic: EventGridEmulator;
  /** The system topic that Key Vault publishes its events to. */
  readonly vaultTopic: Topic;
  /** The CA certificate as PEM, and the path of its file. */
  readonly ca: string;
  readonly caFile: string;
}

/** Collects what must be closed. The last added is closed first. */
export function createClosing() {
  const closers: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const close of closers.reverse()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    add: (close: () => Promise<void>): void => void closers.push(close),
    /** Closes everything, even if some of it fails; throws the first failure. Safe to repeat. */
    close: (): Promise<void> => (closing ??= closeAll()),
  };
}

export type Closing = ReturnType<typeof createClosing>;

const vaultName = "keyturn-local";

export async function startServices(
  folder: DataFolder,
  closing: Closing,
  last: Addresses,
): Promise<Services> {
  const starting = [
    startStorage(folder, closing),
    startDatabase(folder, closing, last.ports.postgres),
    startEmulators(folder, closing, last),
  ] as const;
  // When one fails, the others must have started before they can be closed.
  await Promise.allSettled(starting);
  const [azurite, database, emulators] = await Promise.all(starting);
  return { azurite, ...database, ...emulators };
}

async function startStorage(folder: DataFolder, closing: Closing): Promise<Azurite> {
  const directory = folder.at("storage");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const azurite = await startAzurite({ directory });
  closing.add(() => azurite.close());
  folder.remember("storage", azurite.pid);
  return azurite;
}

async function startDatabase(folder: DataFolder, closing: Closing, lastPort: number | undefined) {
  const { ca, cert, key } = await makeCertificate(folder.at("certificate"));
  const caFile = folder.at("postgresql-ca.pem");
  await writeFile(caFile, ca);
  const postgres = await startPostgres({
    directory: folder.at("postgresql"),
    tls: { cert, key },
    ...(lastPort !== undefined && (await isFree(lastPort)) && { port: lastPort }),
  });
  closing.add(() => postgres.close());
  folder.remember("postgresql", postgres.pid);
  return { postgres, ca, caFile };
}

async function startEmulators(
  folder: DataFolder,
  closing: Closing,
  { topicKey: key, ports }: Addresses,
) {
  const identity = await startIdentityEndpoint();
  closing.add(() => identity.close());
  const topic = await startEventGridEmulator({ key, port: await choosePort(ports.topic) });
  closing.add(() => topic.close());
  const vaultTopic = createTopic({
    source: toVaultResourceId(vaultName),
    inputSchema: "EventGridSchema",
  });
  closing.add(() => {
    vaultTopic.close();
    return Promise.resolve();
  });
  const vault = await startKeyVaultEmulator({
    name: vaultName,
    file: folder.at("key-vault.jsonl"),
    port: await choosePort(ports.vault),
    acceptsToken: (token) => identity.accepts(token, "https://vault.azure.net"),
    onEvent(event) {
      vaultTopic.publish([event]);
    },
  });
  closing.add(() => vault.close());
  return { identity, topic, vaultTopic, vault };
}
