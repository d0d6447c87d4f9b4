import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type Azurite, startAzurite } from "../../azurite.ts";
import { type Certificate, makeCertificate } from "../../certificate.ts";
import { type EventGridEmulator, startEventGridEmulator } from "../../event-grid/emulator.ts";
import { createTopic, type Topic } from "../../event-grid/topic.ts";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../identity/endpoint.ts";
import { toVaultResourceId } from "../../key-vault/announcements.ts";
import { type KeyVaultEmulator, startKeyVaultEmulator } from "../../key-vault/emulator.ts";
import { type Postgres, startPostgres } from "../../postgres.ts";
import { type AzureDoubles, startAzure } from "./azure.ts";
import type { Closing } from "./closing.ts";
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
  readonly azure: AzureDoubles;
  /** The CA certificate of all servers as PEM, and the path of its file. */
  readonly ca: string;
  readonly caFile: string;
  /** The environment variable with which a Node program trusts these servers. */
  readonly trust: { readonly NODE_EXTRA_CA_CERTS: string };
}

const vaultName = "keyturn-local";

export async function startServices(
  folder: DataFolder,
  closing: Closing,
  last: Addresses,
): Promise<Services> {
  const tls = await makeCertificate(folder.at("certificate"));
  const starting = [
    startStorage(folder, closing),
    startDatabase(folder, closing, { tls, lastPort: last.ports.postgres }),
    startEmulators(folder, closing, { tls, last }),
  ] as const;
  // When one fails, the others must have started before they can be closed.
  await Promise.allSettled(starting);
  const [azurite, postgres, emulators] = await Promise.all(starting);
  return { azurite, postgres, ...emulators, ...(await writeAuthority(folder, tls)) };
}

/** Writes the authority for clients: alone, and together with those that the person who starts this trusts. */
async function writeAuthority(folder: DataFolder, { ca }: Certificate) {
  const caFile = folder.at("postgresql-ca.pem");
  await writeFile(caFile, ca);
  const { NODE_EXTRA_CA_CERTS: others } = process.env;
  if (others === undefined || others === "") {
    return { ca, caFile, trust: { NODE_EXTRA_CA_CERTS: caFile } };
  }
  const all = folder.at("trusted-ca.pem");
  // Node, too, only warns about a file that it cannot read.
  await writeFile(all, `${await readFile(others, "utf8").catch(() => "")}\n${ca}`);
  return { ca, caFile, trust: { NODE_EXTRA_CA_CERTS: all } };
}

async function startStorage(folder: DataFolder, closing: Closing): Promise<Azurite> {
  const directory = folder.at("storage");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const azurite = await startAzurite({ directory });
  closing.add(() => azurite.close());
  folder.remember("storage", azurite.pid);
  return azurite;
}

async function startDatabase(
  folder: DataFolder,
  closing: Closing,
  { tls, lastPort }: { readonly tls: Certificate; readonly lastPort: number | undefined },
): Promise<Postgres> {
  const postgres = await startPostgres({
    directory: folder.at("postgresql"),
    tls,
    ...(lastPort !== undefined && (await isFree(lastPort)) && { port: lastPort }),
  });
  closing.add(() => postgres.close());
  folder.remember("postgresql", postgres.pid);
  return postgres;
}

async function startEmulators(
  folder: DataFolder,
  closing: Closing,
  { tls, last }: { readonly tls: Certificate; readonly last: Addresses },
) {
  const { topicKey: key, ports } = last;
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
  const azure = await startAzure(folder, closing, { identity, tls, ports });
  return { identity, topic, vaultTopic, vault, azure };
}
